/// Task<T>: the coroutine type of the product, an Asio awaitable that ends in a Result.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "core/result.hpp"

namespace volan::core {

/// Lazy: nothing runs before it is awaited. Runs on the executor of the coroutine that awaits it.
/// Rules of the house: parameters by value (references only where the caller awaits at once), no lock held across co_await,
/// and no braced temporary with a destructor inside a co_await expression (g++ 12 destroys it twice): name it first.
template <class T = void>
using Task = boost::asio::awaitable<Result<T>>;

}  // namespace volan::core
