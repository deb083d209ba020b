#include "store/state.h"

#include <system_error>
#include <utility>

namespace sluice::store {
namespace {

constexpr std::int32_t kApplicationId = 0x736c7374;  // "slst"

}  // namespace

std::unique_ptr<State> State::open(StateOptions options) {
    std::unique_ptr<State> state(new State(std::move(options.reasoning)));
    if (options.data_dir.empty()) return state;

    auto database = state->open_database(options.data_dir);
    if (!database) {
        state->notice_ = "nothing is kept over a restart: " + database.error().message;
        return state;
    }
    if (!database->damage().empty()) {
        state->notice_ = "the stored state was damaged and is begun anew: " + database->damage();
    }
    options.writer.tick = [&reasoning = state->reasoning_] { reasoning.expire(); };
    try {
        state->writer_ =
            std::make_unique<WriterThread>(std::move(*database), std::move(options.writer));
    } catch (const std::system_error& thrown) {
        state->notice_ =
            std::string("nothing is kept over a restart: no thread to write it: ") + thrown.what();
        return state;
    }
    state->reasoning_.persist(*state->writer_);
    return state;
}

Result<Database> State::open_database(const std::string& data_dir) {
    const DatabaseOptions options{.path = data_dir + "/state.db",
                                  .application_id = kApplicationId,
                                  .migrations = ReasoningStore::migrations(),
                                  .on_damage = OnDamage::set_aside};
    {
        auto database = Database::open(options);
        if (!database) return database;
        const auto loaded = reasoning_.load(*database);
        if (loaded) return database;
        if (loaded.error().code != Errc::internal) return std::unexpected(loaded.error());
        notice_ = "not all of the stored state could be read: " + loaded.error().message;
    }
    // Deeper damage shows when it is read. What was read before it is kept in memory.
    return Database::begin_anew(options);
}

WriterStats State::writer_stats() const noexcept {
    return writer_ ? writer_->stats() : WriterStats{};
}

void State::stop(std::chrono::milliseconds timeout) {
    if (writer_) writer_->stop(timeout);
}

}  // namespace sluice::store
