#include "storage/journal_waiters.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

namespace volan::storage {

void JournalResumer::add(std::unique_ptr<JournalWaiter> waiter, AppendResult result) {
  if (!waiter->executor) {
    waiter->complete(std::move(result));
    return;
  }
  // An event loop runs its handlers one after another anyway; on a pool or a strand each caller gets a post of its own.
  if (waiter->executor.target<boost::asio::io_context::executor_type>() != nullptr) {
    for (Batch& batch : batches_) {
      if (batch.executor != waiter->executor) continue;
      batch.resumptions.push_back({std::move(waiter), std::move(result)});
      return;
    }
  }
  Batch& batch = batches_.emplace_back();
  batch.executor = waiter->executor;
  batch.resumptions.push_back({std::move(waiter), std::move(result)});
}

void JournalResumer::resume_all() {
  for (Batch& batch : batches_) {
    boost::asio::post(batch.executor, [resumptions = std::move(batch.resumptions)]() mutable {
      for (Resumption& resumption : resumptions) {
        const auto waiter = std::move(resumption.waiter);
        waiter->complete(std::move(resumption.result));
      }
    });
  }
  batches_.clear();
}

}  // namespace volan::storage
