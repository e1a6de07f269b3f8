#include "collect/html.hpp"

#include <fmt/format.h>

#include <string>
#include <unordered_set>
#include <vector>

#include "collect/html_tree.hpp"
#include "collect/page_writer.hpp"

namespace volan::collect {
namespace {

// A list of two links and nothing else is "previous / next"; with more links a few words may stand between them.
bool is_navigation(unsigned links, std::uint64_t linked_characters, std::uint64_t characters) {
  return (links >= 3 && linked_characters * 100 >= characters * 85) || (links == 2 && linked_characters == characters);
}

using NodeSet = std::unordered_set<const GumboNode*>;

bool is_element(const GumboNode& node) { return node.type == GUMBO_NODE_ELEMENT; }
bool is_text(const GumboNode& node) {
  return node.type == GUMBO_NODE_TEXT || node.type == GUMBO_NODE_CDATA || node.type == GUMBO_NODE_WHITESPACE;
}

std::string_view attribute(const GumboNode& node, const char* name) {
  const GumboAttribute* found = gumbo_get_attribute(&node.v.element.attributes, name);
  return found ? std::string_view(found->value) : std::string_view{};
}

bool is_list_like(GumboTag tag) {
  return tag == GUMBO_TAG_UL || tag == GUMBO_TAG_OL || tag == GUMBO_TAG_DL || tag == GUMBO_TAG_MENU || tag == GUMBO_TAG_TABLE ||
         tag == GUMBO_TAG_DIR;
}

// What no reader reads as part of the text.
bool is_left_out(const GumboNode& node) {
  switch (node.v.element.tag) {
    case GUMBO_TAG_HEAD:
    case GUMBO_TAG_SCRIPT:
    case GUMBO_TAG_STYLE:
    case GUMBO_TAG_NOSCRIPT:
    case GUMBO_TAG_TEMPLATE:
    case GUMBO_TAG_NAV:
    case GUMBO_TAG_FOOTER:
    case GUMBO_TAG_SVG:
    case GUMBO_TAG_MATH:
    case GUMBO_TAG_IFRAME:
    case GUMBO_TAG_BUTTON:
    case GUMBO_TAG_SELECT:
    case GUMBO_TAG_TEXTAREA:
    case GUMBO_TAG_INPUT:
    case GUMBO_TAG_OBJECT:
    case GUMBO_TAG_NOFRAMES: return true;
    default: return gumbo_get_attribute(&node.v.element.attributes, "hidden") != nullptr;
  }
}

std::uint64_t count_characters(std::string_view text) {
  std::uint64_t count = 0;
  for (const char c : text)
    if ((static_cast<unsigned char>(c) & 0xC0) != 0x80 && c != ' ' && c != '\n' && c != '\t' && c != '\r' && c != '\f') ++count;
  return count;
}

// Depth-first without recursion. `enter` returns false to leave a subtree out; `leave` is called for every entered element.
template <class Enter, class Leave>
void walk(const GumboNode& root, Enter enter, Leave leave) {
  struct Open {
    const GumboNode* node;
    unsigned next = 0;
  };
  std::vector<Open> open;
  if (is_element(root) && enter(root)) open.push_back({&root});
  while (!open.empty()) {
    Open& top = open.back();
    const GumboVector& children = top.node->v.element.children;
    if (top.next == children.length) {
      leave(*top.node);
      open.pop_back();
      continue;
    }
    const auto& child = *static_cast<const GumboNode*>(children.data[top.next++]);
    const bool is_open = is_element(child) || child.type == GUMBO_NODE_TEMPLATE;
    if (enter(child) && is_open) open.push_back({&child});
  }
}

// Lists and tables whose text is (nearly) all links into the same site: tables of contents, menus, previous/next links.
NodeSet find_navigation(const GumboNode& root) {
  struct Count {
    std::uint64_t all = 0, linked = 0;
    unsigned links = 0;
  };
  NodeSet found;
  std::vector<Count> lists;  // of the open lists and tables, outermost first
  unsigned link_depth = 0;
  const auto is_site_link = [](const GumboNode& node) {
    if (node.v.element.tag != GUMBO_TAG_A) return false;
    const std::string_view target = attribute(node, "href");
    return !target.empty() && target.find("://") == std::string_view::npos && !target.starts_with("mailto:");
  };
  walk(
      root,
      [&](const GumboNode& node) {
        if (is_text(node)) {
          if (lists.empty()) return true;
          const std::uint64_t size = count_characters(node.v.text.text);
          lists.back().all += size;
          if (link_depth > 0) lists.back().linked += size;
          return true;
        }
        if (!is_element(node) || is_left_out(node)) return false;
        if (is_list_like(node.v.element.tag)) lists.emplace_back();
        if (is_site_link(node)) {
          ++link_depth;
          if (!lists.empty()) ++lists.back().links;
        }
        return true;
      },
      [&](const GumboNode& node) {
        if (is_site_link(node)) --link_depth;
        if (!is_list_like(node.v.element.tag)) return;
        const Count count = lists.back();
        lists.pop_back();
        if (is_navigation(count.links, count.linked, count.all)) found.insert(&node);
        if (lists.empty()) return;
        lists.back().all += count.all;
        lists.back().linked += count.linked;
        lists.back().links += count.links;
      });
  return found;
}

int heading_level(GumboTag tag) { return tag >= GUMBO_TAG_H1 && tag <= GUMBO_TAG_H6 ? static_cast<int>(tag - GUMBO_TAG_H1) + 1 : 0; }

void enter_element(const GumboNode& node, PageWriter& writer) {
  const GumboTag tag = node.v.element.tag;
  if (heading_level(tag) > 0) {
    writer.break_block();  // text before it takes the waiting anchor away, the heading's own id does not
    if (const std::string_view id = attribute(node, "id"); !id.empty()) writer.anchor(id);
    return writer.begin_heading();
  }
  switch (tag) {
    case GUMBO_TAG_A: {
      const std::string_view name = attribute(node, "name");
      return writer.anchor(name.empty() ? attribute(node, "id") : name);
    }
    case GUMBO_TAG_PRE:
    case GUMBO_TAG_LISTING:
    case GUMBO_TAG_XMP:
    case GUMBO_TAG_PLAINTEXT: return writer.begin_code();
    case GUMBO_TAG_UL:
    case GUMBO_TAG_OL:
    case GUMBO_TAG_DL:
    case GUMBO_TAG_MENU:
    case GUMBO_TAG_DIR: return writer.begin_list();
    case GUMBO_TAG_LI:
    case GUMBO_TAG_DT: return writer.begin_item(true);
    case GUMBO_TAG_DD: return writer.begin_item(false);
    case GUMBO_TAG_TABLE: return writer.begin_table();
    case GUMBO_TAG_TR: return writer.break_line();
    case GUMBO_TAG_TD:
    case GUMBO_TAG_TH: return writer.begin_cell();
    case GUMBO_TAG_BLOCKQUOTE: return writer.begin_quote();
    case GUMBO_TAG_BR: return writer.break_line();
    case GUMBO_TAG_SUP: return writer.text("^");
    case GUMBO_TAG_IMG:
      if (!writer.is_in_code()) writer.text(attribute(node, "alt"));
      return;
    case GUMBO_TAG_P:
    case GUMBO_TAG_DIV:
    case GUMBO_TAG_SECTION:
    case GUMBO_TAG_ARTICLE:
    case GUMBO_TAG_MAIN:
    case GUMBO_TAG_HEADER:
    case GUMBO_TAG_ASIDE:
    case GUMBO_TAG_FIGURE:
    case GUMBO_TAG_FIGCAPTION:
    case GUMBO_TAG_ADDRESS:
    case GUMBO_TAG_FORM:
    case GUMBO_TAG_FIELDSET:
    case GUMBO_TAG_DETAILS:
    case GUMBO_TAG_SUMMARY:
    case GUMBO_TAG_CENTER:
    case GUMBO_TAG_HR:
    case GUMBO_TAG_CAPTION: return writer.break_block();
    default: return;
  }
}

void leave_element(const GumboNode& node, PageWriter& writer) {
  const GumboTag tag = node.v.element.tag;
  if (const int level = heading_level(tag); level > 0) return writer.end_heading(level);
  switch (tag) {
    case GUMBO_TAG_PRE:
    case GUMBO_TAG_LISTING:
    case GUMBO_TAG_XMP:
    case GUMBO_TAG_PLAINTEXT: return writer.end_code();
    case GUMBO_TAG_UL:
    case GUMBO_TAG_OL:
    case GUMBO_TAG_DL:
    case GUMBO_TAG_MENU:
    case GUMBO_TAG_DIR: return writer.end_list();
    case GUMBO_TAG_LI:
    case GUMBO_TAG_DT:
    case GUMBO_TAG_DD:
    case GUMBO_TAG_TR: return writer.break_line();
    case GUMBO_TAG_TABLE: return writer.end_table();
    case GUMBO_TAG_BLOCKQUOTE: return writer.end_quote();
    case GUMBO_TAG_P:
    case GUMBO_TAG_DIV:
    case GUMBO_TAG_SECTION:
    case GUMBO_TAG_ARTICLE:
    case GUMBO_TAG_MAIN:
    case GUMBO_TAG_HEADER:
    case GUMBO_TAG_ASIDE:
    case GUMBO_TAG_FIGURE:
    case GUMBO_TAG_FIGCAPTION:
    case GUMBO_TAG_ADDRESS:
    case GUMBO_TAG_FORM:
    case GUMBO_TAG_FIELDSET:
    case GUMBO_TAG_DETAILS:
    case GUMBO_TAG_SUMMARY:
    case GUMBO_TAG_CENTER:
    case GUMBO_TAG_CAPTION: return writer.break_block();
    default: return;
  }
}

std::string page_title(const GumboNode& root) {
  PageWriter writer;
  bool is_inside = false, is_done = false;
  walk(
      root,
      [&](const GumboNode& node) {
        if (is_done) return false;
        if (is_text(node)) {
          if (is_inside) writer.text(node.v.text.text);
          return true;
        }
        if (!is_element(node)) return false;
        const GumboTag tag = node.v.element.tag;
        is_inside = is_inside || tag == GUMBO_TAG_TITLE;
        return tag == GUMBO_TAG_HTML || tag == GUMBO_TAG_HEAD || tag == GUMBO_TAG_TITLE;
      },
      [&](const GumboNode& node) {
        if (node.v.element.tag == GUMBO_TAG_TITLE) is_done = true;
      });
  const std::vector<Section> sections = writer.finish();
  return sections.empty() ? std::string() : sections.front().blocks.front().text;
}

}  // namespace

core::Result<HtmlPage> read_html(std::string_view bytes, const HtmlLimits& limits) {
  if (bytes.size() > limits.bytes_max)
    return core::fail(core::ErrorCode::too_large, fmt::format("{} bytes, more than the limit of {}", bytes.size(), limits.bytes_max), {},
                      "raise `bytes_max` of the source, or leave the file out with a `skip` pattern");
  VOLAN_TRY(const std::string utf8, html_to_utf8(bytes));
  VOLAN_TRY_VOID(check_html_shape(utf8, limits));
  VOLAN_TRY(const HtmlTree tree, HtmlTree::parse(utf8, limits));

  HtmlPage page;
  page.language = attribute(tree.root(), "lang");
  const NodeSet navigation = find_navigation(tree.root());
  PageWriter writer;
  std::uint64_t dropping = 0;  // depth inside of navigation
  bool has_too_many = false;
  walk(
      tree.root(),
      [&](const GumboNode& node) {
        if (is_text(node)) {
          if (dropping > 0)
            page.dropped_characters += count_characters(node.v.text.text);
          else
            writer.text(node.v.text.text);
          return true;
        }
        if (!is_element(node)) return false;
        if (is_left_out(node) && node.v.element.tag != GUMBO_TAG_NAV) return false;
        if (dropping > 0 || node.v.element.tag == GUMBO_TAG_NAV || navigation.contains(&node)) {
          if (dropping++ == 0) writer.break_block();
          return true;
        }
        has_too_many = has_too_many || writer.section_count() > limits.sections_max;
        if (!has_too_many) enter_element(node, writer);
        return !has_too_many;
      },
      [&](const GumboNode& node) {
        if (dropping > 0)
          --dropping;
        else
          leave_element(node, writer);
      });
  if (has_too_many) return core::fail(core::ErrorCode::too_large, fmt::format("more than {} headings", limits.sections_max));
  page.sections = writer.finish();
  page.title = writer.first_heading().empty() ? page_title(tree.root()) : writer.first_heading();
  return page;
}

}  // namespace volan::collect
