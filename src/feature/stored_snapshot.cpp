#include "feature/stored_snapshot.hpp"

#include <filesystem>
#include <fstream>
#include <set>
#include <utility>

#include "core/file.hpp"
#include "core/ids.hpp"
#include "core/json.hpp"  // tidy: the manifest is a stored format
#include "core/pools.hpp"

namespace volan::feature {
namespace {

namespace fs = std::filesystem;
using core::ErrorCode;
using core::fail;

constexpr std::int64_t manifest_version = 1;

struct ManifestGroup {
  std::string author;
  std::string category;
};
constexpr auto describe(const ManifestGroup*) {
  return core::object("ManifestGroup", core::field("author", &ManifestGroup::author), core::field("category", &ManifestGroup::category));
}

// Written last, so a folder with a manifest is complete. docs/formats/feature_dense.md.
struct Manifest {
  std::int64_t version = manifest_version;
  std::string snapshot;
  std::string embedder;
  std::int64_t chunks = 0;
  std::int64_t texts_bytes = 0;
  std::int64_t texts_crc32c = 0;
  std::vector<ManifestGroup> groups;
};
constexpr auto describe(const Manifest*) {
  return core::object("Manifest", core::field("version", &Manifest::version), core::field("snapshot", &Manifest::snapshot),
                      core::field("embedder", &Manifest::embedder), core::field("chunks", &Manifest::chunks),
                      core::field("texts_bytes", &Manifest::texts_bytes), core::field("texts_crc32c", &Manifest::texts_crc32c),
                      core::field("groups", &Manifest::groups));
}

std::string texts_path(const std::string& folder) { return folder + "/chunks.sqlite"; }
std::string manifest_path(const std::string& folder) { return folder + "/manifest.json"; }

struct Checksum {
  std::int64_t bytes = 0;
  std::uint32_t crc32c = 0;
};

core::Result<Checksum> checksum_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(ErrorCode::not_found, "no file " + path);
  Checksum sum;
  std::string piece(std::size_t{1} << 20, '\0');
  while (file.read(piece.data(), static_cast<std::streamsize>(piece.size())), file.gcount() > 0) {
    sum.crc32c = core::crc32c({piece.data(), static_cast<std::size_t>(file.gcount())}, sum.crc32c);
    sum.bytes += file.gcount();
  }
  if (file.bad()) return fail(ErrorCode::internal, "cannot read " + path);
  return sum;
}

core::Result<> write_files(const std::string& folder, const SnapshotContent& content, std::size_t exact_max) {
  Manifest manifest{.snapshot = content.info.id, .embedder = content.info.embedder, .groups = {}};
  std::map<std::pair<std::string, std::string>, std::uint32_t> groups;
  std::vector<std::uint32_t> row_groups;
  std::vector<std::string> ids;
  VOLAN_TRY(const auto texts, TextStoreWriter::create(texts_path(folder)));
  for (std::size_t d = 0; d < content.documents.size(); ++d) {
    const FeatureDocument& document = content.documents[d];
    const auto [group, is_new] = groups.try_emplace({document.author, document.category}, static_cast<std::uint32_t>(groups.size()));
    if (is_new) manifest.groups.push_back({document.author, document.category});
    for (const Chunk& chunk : content.chunks[d]) {
      VOLAN_TRY_VOID(texts->add(document, chunk));
      row_groups.push_back(group->second);
      ids.push_back(chunk.id);
    }
  }
  VOLAN_TRY_VOID(texts->finish());
  VOLAN_TRY_VOID(
      DenseIndex::write(folder, {static_cast<std::size_t>(content.info.dimension), content.vectors, row_groups, ids}, exact_max));
  VOLAN_TRY(const Checksum sum, checksum_of(texts_path(folder)));
  manifest.chunks = static_cast<std::int64_t>(ids.size());
  manifest.texts_bytes = sum.bytes;
  manifest.texts_crc32c = sum.crc32c;
  return core::write_file_durably(manifest_path(folder), core::encode_json(manifest));
}

}  // namespace

core::Result<> StoredSnapshot::write(const std::string& folder, const SnapshotContent& content, std::size_t exact_max) {
  core::assert_may_block();
  const std::string parent = fs::path(folder).parent_path().string();
  const std::string aside = folder + ".new-" + core::new_span_id();
  VOLAN_TRY_VOID(core::create_folders(aside));
  auto written = write_files(aside, content, exact_max);
  std::error_code error;
  if (!written) {
    fs::remove_all(aside, error);
    return written;
  }
  if (fs::exists(folder, error)) {  // a damaged one; searches that still use it keep their open files
    const std::string old = folder + ".old-" + core::new_span_id();
    fs::rename(folder, old, error);
    if (!error) fs::remove_all(old, error);
  }
  error.clear();
  fs::rename(aside, folder, error);
  if (error) return fail(ErrorCode::internal, "cannot rename " + aside + ": " + error.message());
  return core::sync_folder(parent);
}

core::Result<std::shared_ptr<const StoredSnapshot>> StoredSnapshot::open(const std::string& folder, const std::string& id) {
  core::assert_may_block();
  const auto damaged = [&](std::string_view why) { return fail(ErrorCode::data_loss, folder + ": " + std::string(why)); };
  VOLAN_TRY(const std::string json, core::read_file(manifest_path(folder)));
  auto manifest = core::decode_json<Manifest>(json);
  if (!manifest) return damaged("its manifest does not decode");
  if (manifest->version != manifest_version || manifest->snapshot != id) return damaged("its manifest is of another version or snapshot");
  const auto sum = checksum_of(texts_path(folder));
  if (!sum || sum->bytes != manifest->texts_bytes || std::cmp_not_equal(sum->crc32c, manifest->texts_crc32c))
    return damaged("the checksum of its texts is wrong");
  auto snapshot = std::shared_ptr<StoredSnapshot>(new StoredSnapshot);
  VOLAN_TRY(snapshot->dense_, DenseIndex::open(folder));
  VOLAN_TRY(snapshot->texts_, TextStore::open(texts_path(folder)));
  if (std::cmp_not_equal(snapshot->dense_->size(), manifest->chunks)) return damaged("vectors and texts are not of the same number");
  snapshot->id_ = id;
  snapshot->embedder_ = manifest->embedder;
  std::set<std::string> authors, categories;
  for (const ManifestGroup& group : manifest->groups) {
    snapshot->groups_.push_back({group.author, group.category});
    authors.insert(group.author);
    categories.insert(group.category);
  }
  snapshot->authors_.assign(authors.begin(), authors.end());
  snapshot->categories_.assign(categories.begin(), categories.end());
  return std::shared_ptr<const StoredSnapshot>(std::move(snapshot));
}

core::Result<std::vector<Hit>> StoredSnapshot::search_dense(std::span<const float> query, std::size_t limit, const Filter& filter) const {
  std::vector<bool> allowed;
  if (!filter.author.empty() || !filter.category.empty()) {
    for (const Group& group : groups_)
      allowed.push_back((filter.author.empty() || group.author == filter.author) &&
                        (filter.category.empty() || group.category == filter.category));
    if (allowed.empty()) return std::vector<Hit>{};
  }
  if (dense_->size() == 0) return std::vector<Hit>{};
  VOLAN_TRY(const auto found, dense_->search(query, limit, allowed));
  std::vector<Hit> hits;
  for (const DenseHit& hit : found) hits.push_back({dense_->id(hit.row), hit.score});
  return hits;
}

core::Result<std::vector<Hit>> StoredSnapshot::search_lexical(std::string_view text, std::size_t limit, const Filter& filter) const {
  return texts_->search(text, limit, filter);
}

core::Result<std::vector<ChunkView>> StoredSnapshot::chunks(const std::vector<std::string>& ids) const { return texts_->chunks(ids); }

}  // namespace volan::feature
