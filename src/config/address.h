#pragma once

/// Reading addresses and URLs, strictly: what is not understood in full is refused.

#include "base/error.h"
#include "config/config.h"

#include <string_view>

namespace sluice::config {

/// `HOST:PORT`, with an IPv6 host in brackets. The error's message is what was expected.
[[nodiscard]] Result<HostPort> parse_host_port(std::string_view text);

/// A host name or address alone; brackets around an IPv6 address are taken off.
[[nodiscard]] Result<std::string> parse_host(std::string_view text);

/// `http(s)://HOST[:PORT][/PATH]`. The error's message is what was expected; it never quotes the
/// text, which may carry a password.
[[nodiscard]] Result<BaseUrl> parse_base_url(std::string_view text);

/// `/PATH`, printable, without query, fragment, empty segments and `..`. A trailing slash is taken
/// off where `trim` says so; `/` is then empty.
enum class TrailingSlash : bool { keep, trim };
[[nodiscard]] Result<std::string> parse_path(std::string_view text,
                                             TrailingSlash trailing = TrailingSlash::keep);

/// An address that stands in other projects' documentation where a user's own belongs.
[[nodiscard]] bool is_placeholder(std::string_view url);

/// deepseek.com or a name below it: they queue requests rather than refuse them.
[[nodiscard]] bool is_deepseek(const BaseUrl& url);

}  // namespace sluice::config
