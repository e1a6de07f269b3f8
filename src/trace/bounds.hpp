/// The limits of a stored span (types.hpp): checks them, and cuts what goes beyond.
#pragma once

#include "trace/types.hpp"

namespace volan::trace {

/// True when every text is well-formed UTF-8 and within the limits: the usual case, one pass over the bytes.
bool is_within_bounds(const Span& span);

/// Makes it so: repairs UTF-8, cuts values and names, drops attributes beyond the limit (the count goes to `volan.cut.attributes`).
/// Returns how many values were cut.
std::size_t cut_to_bounds(Span& span);

}  // namespace volan::trace
