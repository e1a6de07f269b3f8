#include "collect/html_tree.hpp"

#include <fmt/format.h>

#include <chrono>
#include <csetjmp>
#include <cstddef>
#include <vector>

namespace volan::collect {

/// Hands out memory from large blocks and takes none back before its end. gumbo does not survive a failed allocation, so when the memory or
/// the time is used up, allocate() jumps back over gumbo's frames (plain C, nothing to unwind) to where parse_within() set `stop`.
class HtmlArena {
 public:
  explicit HtmlArena(const HtmlLimits& limits)
      : bytes_left_(limits.memory_bytes_max), deadline_(std::chrono::steady_clock::now() + std::chrono::milliseconds(limits.time_ms_max)) {}

  enum class Reason { none, memory, time };
  std::jmp_buf stop;
  Reason reason = Reason::none;

  void* allocate(std::size_t size) {
    size = (size + alignof(std::max_align_t) - 1) & ~(alignof(std::max_align_t) - 1);
    if (++calls_ % 256 == 0 && std::chrono::steady_clock::now() > deadline_) give_up(Reason::time);
    if (size > bytes_left_) give_up(Reason::memory);
    bytes_left_ -= size;
    if (size > block_bytes / 4) return (blocks_.emplace_back(new std::byte[size])).get();
    if (size > left_) {
      next_ = (blocks_.emplace_back(new std::byte[block_bytes])).get();
      left_ = block_bytes;
    }
    left_ -= size;
    return std::exchange(next_, next_ + size);
  }

 private:
  [[noreturn]] void give_up(Reason why) {
    reason = why;
    std::longjmp(stop, 1);
  }
  static constexpr std::size_t block_bytes = 256u << 10;
  std::uint64_t bytes_left_;
  std::chrono::steady_clock::time_point deadline_;
  std::uint64_t calls_ = 0;
  std::vector<std::unique_ptr<std::byte[]>> blocks_;
  std::byte* next_ = nullptr;
  std::size_t left_ = 0;
};

namespace {

// Has no object with a destructor, so that the jump out of it is well defined. Null when the arena gave up.
GumboOutput* parse_within(HtmlArena& arena, std::string_view utf8) {
  GumboOptions options = kGumboDefaultOptions;
  options.userdata = &arena;
  options.allocator = [](void* user, std::size_t size) { return static_cast<HtmlArena*>(user)->allocate(size); };
  options.deallocator = [](void*, void*) {};
  options.max_errors = 0;
  options.stop_on_first_error = false;
  if (setjmp(arena.stop) != 0) return nullptr;
  return gumbo_parse_with_options(&options, utf8.data(), utf8.size());
}

}  // namespace

HtmlTree::HtmlTree() = default;
HtmlTree::~HtmlTree() = default;
HtmlTree::HtmlTree(HtmlTree&&) noexcept = default;
HtmlTree& HtmlTree::operator=(HtmlTree&&) noexcept = default;

core::Result<HtmlTree> HtmlTree::parse(std::string_view utf8, const HtmlLimits& limits) {
  HtmlTree tree;
  tree.arena_ = std::make_unique<HtmlArena>(limits);
  const GumboOutput* output = parse_within(*tree.arena_, utf8);
  if (tree.arena_->reason == HtmlArena::Reason::memory)
    return core::fail(core::ErrorCode::too_large, fmt::format("its tree needs more than {} MiB of memory", limits.memory_bytes_max >> 20));
  if (tree.arena_->reason == HtmlArena::Reason::time)
    return core::fail(core::ErrorCode::too_large,
                      fmt::format("its tags are so tangled that reading it takes more than {} ms", limits.time_ms_max));
  tree.root_ = output->root;
  return tree;
}

}  // namespace volan::collect
