#include "observe/prompt_file.h"

#include "observe/log_line.h"

#include <spdlog/async.h>
#include <spdlog/sinks/basic_file_sink.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

namespace sluice::observe {
namespace {

constexpr std::size_t kQueueEntries = 64;

/// Creates the file with its owner's rights only, before spdlog opens it with everybody's.
Result<void> create(const std::string& path) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        return fail(Errc::bad_request,
                    "log.prompts_file " + path + " cannot be written: " + std::strerror(errno));
    }
    ::close(fd);
    return {};
}

void append_text(std::string& line, std::string_view name, std::string_view text) {
    line += line.empty() ? "{\"" : ",\"";
    line += name;
    line += "\":\"";
    append_escaped(line, text.substr(0, PromptFile::kMaxTextBytes));
    line += '"';
}

}  // namespace

struct PromptFile::State {
    explicit State(const std::string& path)
        : pool(std::make_shared<spdlog::details::thread_pool>(kQueueEntries, 1)),
          logger(std::make_shared<spdlog::async_logger>(
              "prompts", std::make_shared<spdlog::sinks::basic_file_sink_mt>(path), pool,
              spdlog::async_overflow_policy::overrun_oldest)) {
        logger->set_pattern("%v");
        logger->flush_on(spdlog::level::info);
    }

    std::shared_ptr<spdlog::details::thread_pool> pool;
    std::shared_ptr<spdlog::async_logger> logger;
};

PromptFile::PromptFile(std::unique_ptr<State> state) : state_(std::move(state)) {}

/// Writes what is queued and ends the thread, before what the thread uses goes.
PromptFile::~PromptFile() {
    state_->pool.reset();
}

Result<std::unique_ptr<PromptFile>> PromptFile::open(const std::string& path) {
    if (auto created = create(path); !created) return std::unexpected(std::move(created.error()));
    return std::unique_ptr<PromptFile>(new PromptFile(std::make_unique<State>(path)));
}

void PromptFile::write(std::string_view request_id, std::string_view request,
                       std::string_view reply) {
    std::string line;
    line.reserve(request.size() + reply.size() + 128);
    append_text(line, "request_id", request_id);
    append_text(line, "request", request);
    append_text(line, "reply", reply);
    line += '}';
    state_->logger->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace sluice::observe
