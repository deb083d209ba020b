#include "observe/process_metrics.h"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace sluice::observe {
namespace {

using prometheus::MetricType;

std::string contents(const char* path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

struct ProcessStat {
    double cpu_seconds = 0;
    double started = 0;  ///< seconds since boot
    double virtual_bytes = 0;
    double resident_bytes = 0;
};

/// /proc/self/stat by proc(5): the fields after the name, which may itself hold blanks and ')'.
ProcessStat read_stat() {
    const std::string text = contents("/proc/self/stat");
    const auto name_end = text.rfind(')');
    if (name_end == std::string::npos) return {};
    std::istringstream rest(text.substr(name_end + 1));
    std::string skipped;
    for (int field = 3; field < 14; ++field) rest >> skipped;
    double user = 0;
    double system = 0;
    rest >> user >> system;
    for (int field = 16; field < 22; ++field) rest >> skipped;
    double started = 0;
    double bytes = 0;
    double pages = 0;
    rest >> started >> bytes >> pages;
    const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
    return {.cpu_seconds = (user + system) / ticks,
            .started = started / ticks,
            .virtual_bytes = bytes,
            .resident_bytes = pages * static_cast<double>(sysconf(_SC_PAGESIZE))};
}

double boot_time() {
    const std::string text = contents("/proc/stat");
    const auto line = text.find("\nbtime ");
    if (line == std::string::npos) return 0;
    double seconds = 0;
    std::istringstream(text.substr(line + 7, 32)) >> seconds;
    return seconds;
}

double open_fds() {
    struct stat folder{};
    constexpr const char* kFolder = "/proc/self/fd";
    // Since Linux 6.2 the folder's size is the count, which spares a walk over every connection.
    if (stat(kFolder, &folder) == 0 && folder.st_size > 0) {
        return static_cast<double>(folder.st_size);
    }
    std::error_code error;
    const std::filesystem::directory_iterator entries(kFolder, error);
    return error ? 0 : static_cast<double>(std::distance(begin(entries), end(entries)));
}

double max_fds() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
    return static_cast<double>(limit.rlim_cur);
}

prometheus::MetricFamily family(std::string name, std::string help, MetricType type, double value) {
    prometheus::ClientMetric metric;
    (type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
    return {.name = std::move(name), .help = std::move(help), .type = type, .metric = {metric}};
}

}  // namespace

std::vector<prometheus::MetricFamily> ProcessMetrics::Collect() const {
    const ProcessStat stat = read_stat();
    return {
        family("process_cpu_seconds_total", "CPU time, user and system.", MetricType::Counter,
               stat.cpu_seconds),
        family("process_resident_memory_bytes", "Memory in RAM.", MetricType::Gauge,
               stat.resident_bytes),
        family("process_virtual_memory_bytes", "Address space in use.", MetricType::Gauge,
               stat.virtual_bytes),
        family("process_open_fds", "Open file descriptors.", MetricType::Gauge, open_fds()),
        family("process_max_fds", "The limit on file descriptors.", MetricType::Gauge, max_fds()),
        family("process_start_time_seconds", "Start of the process, Unix time.", MetricType::Gauge,
               boot_time() + stat.started),
    };
}

}  // namespace sluice::observe
