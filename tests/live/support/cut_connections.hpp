// SPDX-License-Identifier: MIT
//
// An application whose connections break: at every byte, or by silence. What was confirmed is
// consumed. Configs are texts: of an application that comes through the proxy, and of one that does
// not.
#pragma once

#include <cstdint>
#include <string>

#include "proxy.hpp"

namespace swapmq::live {

/// Of what a publish over an open connection exchanges this way; its end is noticed. `direct` is
/// who consumes at last.
void cut_publishing_at_each_byte(Proxy& proxy, Way way, const std::string& through,
                                 const std::string& direct);

/// Of the first so many bytes of connecting and publishing, each `step` bytes.
void cut_connecting(Proxy& proxy, Way way, const std::string& through, const std::string& direct,
                    std::uint64_t most, std::uint64_t step);

/// Of the first so many bytes that deliveries and acks exchange this way.
void cut_consuming_at_each_byte(Proxy& proxy, Way way, const std::string& through,
                                const std::string& direct, std::uint64_t most);

/// Of publishers and of consumers, whatever they were at.
void leave_silent_connections(Proxy& proxy, const std::string& through);

/// Of a publish: it is in doubt, and the next one is not hindered.
void leave_a_black_hole(Proxy& proxy, const std::string& through, const std::string& direct);

} // namespace swapmq::live
