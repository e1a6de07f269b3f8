#include "storage/duck_result.hpp"

#include <fmt/format.h>

#include <cmath>
#include <functional>
#include <limits>
#include <memory>

namespace volan::storage {
namespace {

using Read = std::function<Value(const void* data, idx_t row)>;

template <class T>
Value integer_at(const void* data, idx_t row) {
  const T value = static_cast<const T*>(data)[row];
  if constexpr (std::is_same_v<T, std::uint64_t>) {
    if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return static_cast<double>(value);
  }
  return static_cast<std::int64_t>(value);
}

template <class T>
Value real_at(const void* data, idx_t row) {
  return static_cast<double>(static_cast<const T*>(data)[row]);
}

Value huge_at(const void* data, idx_t row) {
  const auto& value = static_cast<const duckdb_hugeint*>(data)[row];
  const bool fits = (value.upper == 0 && value.lower <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) ||
                    (value.upper == -1 && value.lower > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()));
  if (fits) return static_cast<std::int64_t>(value.lower);
  return duckdb_hugeint_to_double(value);
}

Value text_at(const void* data, idx_t row) {
  auto text = static_cast<const duckdb_string_t*>(data)[row];
  return std::string(duckdb_string_t_data(&text), duckdb_string_t_length(text));
}

double scaled(const Value& value, double scale) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return static_cast<double>(*integer) / scale;
  return std::get<double>(value) / scale;
}

/// The reader for a column, or nothing for a type that rows do not have.
Read reader_of(duckdb_type type) {
  switch (type) {
    case DUCKDB_TYPE_BOOLEAN: return integer_at<bool>;
    case DUCKDB_TYPE_TINYINT: return integer_at<std::int8_t>;
    case DUCKDB_TYPE_SMALLINT: return integer_at<std::int16_t>;
    case DUCKDB_TYPE_INTEGER: return integer_at<std::int32_t>;
    case DUCKDB_TYPE_BIGINT: return integer_at<std::int64_t>;
    case DUCKDB_TYPE_UTINYINT: return integer_at<std::uint8_t>;
    case DUCKDB_TYPE_USMALLINT: return integer_at<std::uint16_t>;
    case DUCKDB_TYPE_UINTEGER: return integer_at<std::uint32_t>;
    case DUCKDB_TYPE_UBIGINT: return integer_at<std::uint64_t>;
    case DUCKDB_TYPE_HUGEINT: return huge_at;
    case DUCKDB_TYPE_FLOAT: return real_at<float>;
    case DUCKDB_TYPE_DOUBLE: return real_at<double>;
    case DUCKDB_TYPE_VARCHAR: return text_at;
    case DUCKDB_TYPE_SQLNULL: return [](const void*, idx_t) -> Value { return std::monostate{}; };
    default: return {};
  }
}

Read reader_of_column(duckdb_result& result, idx_t column) {
  const duckdb_type type = duckdb_column_type(&result, column);
  if (type != DUCKDB_TYPE_DECIMAL) return reader_of(type);
  duckdb_logical_type logical = duckdb_column_logical_type(&result, column);
  const double scale = std::pow(10.0, duckdb_decimal_scale(logical));
  auto stored = reader_of(duckdb_decimal_internal_type(logical));
  duckdb_destroy_logical_type(&logical);
  return [scale, stored](const void* data, idx_t row) -> Value { return scaled(stored(data, row), scale); };
}

struct DestroyChunk {
  using pointer = duckdb_data_chunk;
  void operator()(duckdb_data_chunk chunk) const { duckdb_destroy_data_chunk(&chunk); }
};

}  // namespace

core::Result<std::vector<Row>> rows_of(duckdb_result& result) {
  const idx_t columns = duckdb_column_count(&result);
  std::vector<Read> readers;
  for (idx_t column = 0; column < columns; ++column) {
    readers.push_back(reader_of_column(result, column));
    if (!readers.back())
      return core::fail(core::ErrorCode::internal, fmt::format("column {} of the query has a type that is not read: cast it to BIGINT, DOUBLE or VARCHAR",
                                                               duckdb_column_name(&result, column)));
  }
  std::vector<Row> rows;
  for (;;) {
    std::unique_ptr<void, DestroyChunk> chunk(duckdb_fetch_chunk(result));
    if (!chunk) return rows;
    const idx_t size = duckdb_data_chunk_get_size(chunk.get());
    const std::size_t begin = rows.size();
    rows.resize(begin + size);
    for (idx_t i = 0; i < size; ++i) rows[begin + i].values.resize(columns);
    for (idx_t column = 0; column < columns; ++column) {
      duckdb_vector vector = duckdb_data_chunk_get_vector(chunk.get(), column);
      const void* data = duckdb_vector_get_data(vector);
      const std::uint64_t* validity = duckdb_vector_get_validity(vector);
      for (idx_t i = 0; i < size; ++i) {
        if (validity == nullptr || duckdb_validity_row_is_valid(const_cast<std::uint64_t*>(validity), i))
          rows[begin + i].values[column] = readers[column](data, i);
      }
    }
  }
}

}  // namespace volan::storage
