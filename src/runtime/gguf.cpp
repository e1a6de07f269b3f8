#include "runtime/gguf.hpp"

#include <fmt/format.h>
#include <ggml.h>
#include <gguf.h>

#include <algorithm>
#include <bit>
#include <cctype>
#include <cstring>
#include <utility>

#include "runtime/quote.hpp"

namespace volan::runtime {
namespace {

using core::ErrorCode;
using core::fail;
using core::Result;

constexpr std::uint64_t header_bytes_max = 64u << 20;  // of names and string values that are kept
constexpr std::uint64_t name_bytes_max = 65'535;
constexpr std::uint64_t kept_text_bytes_max = 1u << 20;  // chat templates are some 10 kB
constexpr std::uint64_t pair_bytes_min = 8 + 4 + 1;      // length of the key, type, one byte of value
constexpr std::uint64_t tensor_bytes_min = 8 + 4 + 4 + 8;

/// Reads the header front to back through a small buffer. After an error nothing more is read.
class HeaderReader {
 public:
  explicit HeaderReader(ByteSource& source) : source_(source) {}

  std::uint64_t position() const { return position_; }
  std::uint64_t remaining() const { return source_.size() - position_; }
  std::uint64_t size() const { return source_.size(); }

  core::Error error(std::string text, std::string fix = "copy or download the file again") const {
    return {ErrorCode::invalid_argument, std::move(text), source_.name(), std::move(fix)};
  }

  Result<> bytes(std::span<char> out) {
    while (!out.empty()) {
      if (next_ == filled_) VOLAN_TRY_VOID(fill());
      const auto count = std::min(out.size(), filled_ - next_);
      std::copy_n(buffer_.data() + next_, count, out.data());
      next_ += count;
      position_ += count;
      out = out.subspan(count);
    }
    return {};
  }

  /// A little-endian number; so are all machines we build for.
  template <class T>
  Result<T> number() {
    static_assert(std::endian::native == std::endian::little);
    T value{};
    VOLAN_TRY_VOID(bytes({reinterpret_cast<char*>(&value), sizeof value}));
    return value;
  }

  Result<std::string> text(std::uint64_t bytes_max, std::string_view what) {
    VOLAN_TRY(const auto length, number<std::uint64_t>());
    if (length > remaining())
      return fail(error(fmt::format("{} has a length of {} bytes but only {} are left in the file", what, length, remaining())));
    if (length > bytes_max)
      return fail(error(fmt::format("{} has {} bytes; at most {} are allowed", what, length, bytes_max), "use another model file"));
    kept_ += length;
    if (kept_ > header_bytes_max)
      return fail(error(fmt::format("names and texts of the header exceed {} bytes", header_bytes_max), "use another model file"));
    std::string value(static_cast<std::size_t>(length), '\0');
    VOLAN_TRY_VOID(bytes(value));
    return value;
  }

  Result<> skip(std::uint64_t count, std::string_view what) {
    if (count > remaining())
      return fail(error(fmt::format("{} needs {} bytes but only {} are left in the file", what, count, remaining())));
    const auto buffered = std::min<std::uint64_t>(count, filled_ - next_);
    next_ += static_cast<std::size_t>(buffered);
    if (buffered < count) next_ = filled_ = 0;
    position_ += count;
    return {};
  }

 private:
  Result<> fill() {
    if (remaining() == 0) return fail(error(fmt::format("the file ends at byte {} inside of its header: it is cut short", size())));
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(remaining(), buffer_.size()));
    VOLAN_TRY_VOID(source_.read(position_, {buffer_.data(), count}));
    next_ = 0;
    filled_ = count;
    return {};
  }

  ByteSource& source_;
  std::uint64_t position_ = 0;
  std::uint64_t kept_ = 0;
  std::array<char, 65'536> buffer_{};
  std::size_t next_ = 0, filled_ = 0;
};

std::optional<std::uint64_t> bytes_of_type(std::uint32_t type) {
  switch (type) {
    case GGUF_TYPE_UINT8:
    case GGUF_TYPE_INT8:
    case GGUF_TYPE_BOOL: return 1;
    case GGUF_TYPE_UINT16:
    case GGUF_TYPE_INT16: return 2;
    case GGUF_TYPE_UINT32:
    case GGUF_TYPE_INT32:
    case GGUF_TYPE_FLOAT32: return 4;
    case GGUF_TYPE_UINT64:
    case GGUF_TYPE_INT64:
    case GGUF_TYPE_FLOAT64: return 8;
    default: return std::nullopt;
  }
}

template <class Stored, class Kept>
Result<GgufValue> scalar(HeaderReader& reader) {
  VOLAN_TRY(const auto value, reader.number<Stored>());
  GgufValue out;
  out.scalar = static_cast<Kept>(value);
  return out;
}

Result<GgufValue> read_scalar(HeaderReader& reader, std::uint32_t type, const std::string& what) {
  switch (type) {
    case GGUF_TYPE_UINT8: return scalar<std::uint8_t, std::uint64_t>(reader);
    case GGUF_TYPE_INT8: return scalar<std::int8_t, std::int64_t>(reader);
    case GGUF_TYPE_UINT16: return scalar<std::uint16_t, std::uint64_t>(reader);
    case GGUF_TYPE_INT16: return scalar<std::int16_t, std::int64_t>(reader);
    case GGUF_TYPE_UINT32: return scalar<std::uint32_t, std::uint64_t>(reader);
    case GGUF_TYPE_INT32: return scalar<std::int32_t, std::int64_t>(reader);
    case GGUF_TYPE_FLOAT32: return scalar<float, double>(reader);
    case GGUF_TYPE_UINT64: return scalar<std::uint64_t, std::uint64_t>(reader);
    case GGUF_TYPE_INT64: return scalar<std::int64_t, std::int64_t>(reader);
    case GGUF_TYPE_FLOAT64: return scalar<double, double>(reader);
    case GGUF_TYPE_BOOL: {
      VOLAN_TRY(const auto value, reader.number<std::uint8_t>());
      GgufValue out;
      out.scalar = value != 0;
      return out;
    }
    case GGUF_TYPE_STRING: {
      VOLAN_TRY(auto value, reader.text(kept_text_bytes_max, what));
      GgufValue out;
      out.scalar = std::move(value);
      return out;
    }
    default: return fail(reader.error(fmt::format("{} has the unknown type {}", what, type)));
  }
}

Result<GgufValue> read_array(HeaderReader& reader, const std::string& what) {
  VOLAN_TRY(const auto type, reader.number<std::uint32_t>());
  GgufValue out;
  out.is_array = true;
  VOLAN_TRY(out.count, reader.number<std::uint64_t>());
  if (type == GGUF_TYPE_STRING) {
    if (out.count > reader.remaining() / 8)
      return fail(reader.error(fmt::format("{} claims {} strings, more than fit into the file", what, out.count)));
    for (std::uint64_t i = 0; i < out.count; ++i) {
      VOLAN_TRY(const auto length, reader.number<std::uint64_t>());
      VOLAN_TRY_VOID(reader.skip(length, what));
    }
    return out;
  }
  const auto size = bytes_of_type(type);
  if (!size) return fail(reader.error(fmt::format("{} is an array of the unknown type {}", what, type)));
  if (out.count > reader.remaining() / *size)
    return fail(reader.error(fmt::format("{} claims {} elements, more than fit into the file", what, out.count)));
  VOLAN_TRY_VOID(reader.skip(out.count * *size, what));
  return out;
}

Result<> read_keys(HeaderReader& reader, std::uint64_t count, GgufFile& file) {
  for (std::uint64_t i = 0; i < count; ++i) {
    VOLAN_TRY(auto key, reader.text(name_bytes_max, fmt::format("the name of key {}", i)));
    if (key.empty()) return fail(reader.error(fmt::format("key {} has no name", i)));
    const std::string what = fmt::format("key {}", in_quotes(key));
    VOLAN_TRY(const auto type, reader.number<std::uint32_t>());
    VOLAN_TRY(auto value, type == GGUF_TYPE_ARRAY ? read_array(reader, what) : read_scalar(reader, type, what));
    if (!file.keys.emplace(std::move(key), std::move(value)).second) return fail(reader.error(what + " is there twice"));
  }
  return {};
}

/// Bytes of a tensor. Sizes come from ggml's type table; types that ggml has retired have no block size there.
Result<std::uint64_t> bytes_of_tensor(const HeaderReader& reader, const GgufTensor& tensor, ggml_type type) {
  const auto block = static_cast<std::uint64_t>(ggml_blck_size(type));
  if (block == 0 || tensor.shape[0] % block != 0)
    return fail(reader.error(fmt::format("tensor {}: rows of {} values do not divide into blocks of {} ({})", in_quotes(tensor.name),
                                         tensor.shape[0], block, tensor.type)));
  std::uint64_t bytes = tensor.shape[0] / block;
  bool is_too_large = __builtin_mul_overflow(bytes, ggml_type_size(type), &bytes);
  for (std::size_t i = 1; i < tensor.shape.size(); ++i) is_too_large |= __builtin_mul_overflow(bytes, tensor.shape[i], &bytes);
  if (is_too_large || bytes > reader.size())
    return fail(
        reader.error(fmt::format("tensor {} of {} x {} x {} x {} values does not fit into a file of {} bytes", in_quotes(tensor.name),
                                 tensor.shape[0], tensor.shape[1], tensor.shape[2], tensor.shape[3], reader.size())));
  return bytes;
}

Result<GgufTensor> read_tensor(HeaderReader& reader, std::uint64_t index) {
  GgufTensor tensor;
  VOLAN_TRY(tensor.name, reader.text(GGML_MAX_NAME - 1, fmt::format("the name of tensor {}", index)));
  VOLAN_TRY(const auto dimensions, reader.number<std::uint32_t>());
  if (dimensions > GGML_MAX_DIMS)
    return fail(reader.error(
        fmt::format("tensor {} has {} dimensions; at most {} are possible", in_quotes(tensor.name), dimensions, GGML_MAX_DIMS)));
  tensor.shape.fill(1);
  for (std::uint32_t i = 0; i < dimensions; ++i) {
    VOLAN_TRY(tensor.shape[i], reader.number<std::uint64_t>());
  }
  VOLAN_TRY(const auto type, reader.number<std::uint32_t>());
  if (type >= GGML_TYPE_COUNT)
    return fail(reader.error(fmt::format("tensor {} has the unknown type {}", in_quotes(tensor.name), type),
                             "the file may need a newer llama-server"));
  const auto ggml = static_cast<ggml_type>(type);
  tensor.type = ggml_type_name(ggml) == nullptr ? "?" : ggml_type_name(ggml);
  VOLAN_TRY(tensor.offset, reader.number<std::uint64_t>());
  VOLAN_TRY(tensor.bytes, bytes_of_tensor(reader, tensor, ggml));
  return tensor;
}

Result<std::uint64_t> alignment_of(const HeaderReader& reader, const GgufFile& file) {
  const auto* value = file.find(GGUF_KEY_GENERAL_ALIGNMENT);
  if (value == nullptr) return GGUF_DEFAULT_ALIGNMENT;
  const auto* number = std::get_if<std::uint64_t>(&value->scalar);
  if (number == nullptr || !std::has_single_bit(*number) || *number > (1u << 20))
    return fail(reader.error(GGUF_KEY_GENERAL_ALIGNMENT " must be a power of two of at most 1 MiB"));
  return *number;
}

/// Tensors lie one after the other, each padded to the alignment; turns offsets into positions in the file.
Result<> place_tensors(const HeaderReader& reader, std::uint64_t alignment, GgufFile& file) {
  const auto padded = [alignment](std::uint64_t n) { return (n + alignment - 1) & ~(alignment - 1); };
  const std::uint64_t start = padded(reader.position());
  std::uint64_t expected = 0;
  for (auto& tensor : file.tensors) {
    if (tensor.offset != expected)
      return fail(reader.error(
          fmt::format("tensor {} is said to start at {} of the data; {} was expected", in_quotes(tensor.name), tensor.offset, expected)));
    expected += padded(tensor.bytes);  // no overflow: bytes <= file size, and the sum is checked in each turn
    tensor.offset += start;
    if (tensor.offset > file.file_bytes || tensor.bytes > file.file_bytes - tensor.offset)
      return fail(reader.error(fmt::format("not enough bytes for tensor {}: it needs {} to {} and the file ends at {}",
                                           in_quotes(tensor.name), tensor.offset, tensor.offset + tensor.bytes, file.file_bytes)));
  }
  return {};
}

Result<> read_start(HeaderReader& reader, GgufFile& file) {
  std::array<char, 4> magic{};
  VOLAN_TRY_VOID(reader.bytes(magic));
  if (std::string_view(magic.data(), 4) != GGUF_MAGIC) {
    std::string shown;
    for (const char c : magic) shown += std::isprint(static_cast<unsigned char>(c)) != 0 ? c : '?';
    return fail(reader.error(fmt::format("is not a GGUF file: it starts with \"{}\" instead of \"" GGUF_MAGIC "\"", shown),
                             "name a .gguf file; a safetensors folder is converted by: volan model import DIR --out FILE"));
  }
  VOLAN_TRY(file.version, reader.number<std::uint32_t>());
  if (file.version < 2 || file.version > GGUF_VERSION)
    return fail(reader.error(fmt::format("GGUF version {} is not supported (2 to {} are)", file.version, GGUF_VERSION),
                             "convert the model again with current tools"));
  return {};
}

}  // namespace

const GgufValue* GgufFile::find(std::string_view key) const {
  const auto it = keys.find(key);
  return it == keys.end() ? nullptr : &it->second;
}

const GgufTensor* GgufFile::find_tensor(std::string_view name) const {
  const auto it = std::find_if(tensors.begin(), tensors.end(), [name](const GgufTensor& t) { return t.name == name; });
  return it == tensors.end() ? nullptr : &*it;
}

std::optional<std::uint64_t> GgufFile::number(std::string_view key) const {
  const auto* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (const auto* n = std::get_if<std::uint64_t>(&value->scalar)) return *n;
  if (const auto* n = std::get_if<std::int64_t>(&value->scalar); n != nullptr && *n >= 0) return static_cast<std::uint64_t>(*n);
  return std::nullopt;
}

std::optional<std::string_view> GgufFile::text(std::string_view key) const {
  const auto* value = find(key);
  if (value == nullptr) return std::nullopt;
  const auto* s = std::get_if<std::string>(&value->scalar);
  return s == nullptr ? std::nullopt : std::optional<std::string_view>(*s);
}

std::optional<std::uint64_t> GgufFile::of_architecture(std::string_view key) const {
  return number(fmt::format("{}.{}", architecture(), key));
}

Result<GgufFile> read_gguf(ByteSource& source) {
  HeaderReader reader(source);
  GgufFile file;
  file.path = source.name();
  file.file_bytes = source.size();
  VOLAN_TRY_VOID(read_start(reader, file));
  VOLAN_TRY(const auto tensor_count, reader.number<std::uint64_t>());
  VOLAN_TRY(const auto key_count, reader.number<std::uint64_t>());
  if (key_count > reader.remaining() / pair_bytes_min || key_count > 65'536)
    return fail(reader.error(fmt::format("the header claims {} keys, which cannot be", key_count)));
  if (tensor_count > reader.remaining() / tensor_bytes_min || tensor_count > 65'536)
    return fail(reader.error(fmt::format("the header claims {} tensors, which cannot be", tensor_count)));
  VOLAN_TRY_VOID(read_keys(reader, key_count, file));
  file.tensors.reserve(static_cast<std::size_t>(tensor_count));
  std::map<std::string_view, int> seen;  // views stay valid: the vector does not grow any more
  for (std::uint64_t i = 0; i < tensor_count; ++i) {
    VOLAN_TRY(auto tensor, read_tensor(reader, i));
    file.tensors.push_back(std::move(tensor));
    if (!seen.emplace(file.tensors.back().name, 0).second)
      return fail(reader.error(fmt::format("tensor {} is there twice", in_quotes(file.tensors.back().name))));
  }
  VOLAN_TRY(const auto alignment, alignment_of(reader, file));
  VOLAN_TRY_VOID(place_tensors(reader, alignment, file));
  return file;
}

Result<GgufFile> read_gguf(const std::string& path) {
  VOLAN_TRY(auto source, open_byte_source(path));
  return read_gguf(*source);
}

Result<std::string> verify_hash(const std::string& path, std::string_view expected, const std::function<bool()>& is_cancelled) {
  VOLAN_TRY(auto source, open_byte_source(path));
  VOLAN_TRY(auto hash, sha256_of(*source, is_cancelled));
  if (!expected.empty() && hash != expected)
    return fail(ErrorCode::data_loss, fmt::format("the file's SHA-256 is {} but {} is configured", hash, expected), path,
                "copy or download the file again, or correct the sha256 of the model");
  return hash;
}

}  // namespace volan::runtime
