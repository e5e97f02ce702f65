/* SPDX-License-Identifier: MIT */
/*
 * From a mail's bytes to the parts that count. GMime parses whatever comes, at up to 80 bytes of
 * memory for each byte, and compares a line with the boundary of each level around it: so it gets
 * no more than the beginning of a mail, and none that could have hundreds of levels.
 */
#include "bounce/read/mime.h"

#include "base/buf.h"
#include "mail/report_fields.h"

#include <gmime/gmime.h>
#include <string.h>

enum { HEADER_MAX = 32 * 1024, FIELDS_MAX = 200, VALUE_MAX = 2000 };

void mime_start(void)
{
	g_mime_init();
}

struct walk {
	struct arena *arena;
	struct mail_report_mail *ret;
	const char *html; /* the first one, for mails without plain text */
	int objects;
};

/* ---- pieces ---- */

static void add_fields(struct buf *buf, GMimeObject *object, struct arena *arena)
{
	GMimeHeaderList *list = g_mime_object_get_header_list(object);
	int n = g_mime_header_list_get_count(list);
	for (int i = 0; i < n && i < FIELDS_MAX && buf->len < HEADER_MAX; i++) {
		GMimeHeader *header = g_mime_header_list_get_header_at(list, i);
		const char *value = g_mime_header_get_value(header);
		value = value ? value : "";
		buf_printf(buf, "%s: %s\n", g_mime_header_get_name(header),
		           mail_report_line(arena, value, strlen(value), VALUE_MAX));
	}
}

/* The fields as lines, encoded words decoded. GMime keeps those about the content elsewhere. */
static const char *header_of(GMimeMessage *message, struct arena *arena)
{
	struct buf buf = {0};
	GMimeObject *content = g_mime_message_get_mime_part(message);
	add_fields(&buf, GMIME_OBJECT(message), arena);
	if (content)
		add_fields(&buf, content, arena);
	const char *text = arena_strndup(arena, buf_text(&buf), buf.len);
	buf_free(&buf);
	return text;
}

static void add_part(struct walk *walk, enum mail_report_part_type type, const char *text)
{
	struct mail_report_mail *ret = walk->ret;
	if (ret->n_parts < MAIL_REPORT_PARTS_MAX)
		ret->parts[ret->n_parts++] = (struct mail_report_part){.type = type, .text = text};
}

/* The stream, or one that decodes from that charset on the way; the caller unrefs it. */
static GMimeStream *decoding(GMimeStream *stream, const char *charset)
{
	GMimeFilter *filter = charset ? g_mime_filter_charset_new(charset, "utf-8") : NULL;
	if (filter == NULL)
		return g_object_ref(stream);
	GMimeStream *filtered = g_mime_stream_filter_new(stream);
	g_mime_stream_filter_add(GMIME_STREAM_FILTER(filtered), filter);
	g_object_unref(filter);
	return filtered;
}

/* What a leaf holds, decoded from base64 and the like, and from its charset where GMime knows
 * that. (GMime's own function for text ends at a NUL.) */
static const char *content_of(GMimePart *part, struct arena *arena)
{
	GMimeDataWrapper *wrapper = g_mime_part_get_content(part);
	if (wrapper == NULL)
		return "";
	const char *charset = GMIME_IS_TEXT_PART(part)
	                              ? g_mime_text_part_get_charset(GMIME_TEXT_PART(part))
	                              : NULL;
	GMimeStream *memory = g_mime_stream_mem_new();
	GMimeStream *stream = decoding(memory, charset);
	g_mime_data_wrapper_write_to_stream(wrapper, stream);
	g_mime_stream_flush(stream);
	GByteArray *bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(memory));
	const char *text = mail_report_lines(arena, (const char *)bytes->data, bytes->len,
	                                     MAIL_REPORT_TEXT_MAX);
	g_object_unref(stream);
	g_object_unref(memory);
	return text;
}

/* ---- HTML ---- */

static const struct {
	const char *name;
	char is;
} entities[] = {{"&lt;", '<'},   {"&gt;", '>'},   {"&amp;", '&'},
                {"&quot;", '"'}, {"&#39;", '\''}, {"&nbsp;", ' '}};

static size_t add_entity(struct buf *buf, const char *at)
{
	for (size_t i = 0; i < sizeof entities / sizeof entities[0]; i++)
		if (strncasecmp(at, entities[i].name, strlen(entities[i].name)) == 0) {
			buf_addc(buf, entities[i].is);
			return strlen(entities[i].name);
		}
	buf_addc(buf, *at);
	return 1;
}

/* Behind a tag; what a style or script holds is none of the words. */
static const char *behind_tag(const char *at)
{
	static const char *const silent[] = {"style", "script", "title"};
	const char *close = strchr(at, '>');
	for (size_t i = 0; i < sizeof silent / sizeof silent[0] && close; i++) {
		size_t len = strlen(silent[i]);
		if (strncasecmp(at + 1, silent[i], len) != 0)
			continue;
		const char *end = strstr(close, "</");
		close = end ? strchr(end, '>') : NULL;
	}
	return close ? close + 1 : at + strlen(at);
}

/* Its words: each tag is a space, those that part paragraphs a line. Enough for a report. */
static const char *words_of_html(const char *html, struct arena *arena)
{
	struct buf buf = {0};
	while (*html) {
		if (*html == '<') {
			bool inner = strncasecmp(html, "<a", 2) == 0 ||
			             strncasecmp(html, "</a", 3) == 0 ||
			             strncasecmp(html, "<b>", 3) == 0 ||
			             strncasecmp(html, "<span", 5) == 0 ||
			             strncasecmp(html, "</span", 6) == 0;
			buf_addc(&buf, inner ? ' ' : '\n');
			html = behind_tag(html);
		} else if (*html == '&') {
			html += add_entity(&buf, html);
		} else {
			buf_addc(&buf, *html++);
		}
	}
	const char *text = mail_report_lines(arena, buf_text(&buf), buf.len, MAIL_REPORT_TEXT_MAX);
	buf_free(&buf);
	return text;
}

/* ---- the tree ---- */

/* Leaves by type; the first row that matches. */
static const struct leaf_row {
	const char *type, *subtype;
	enum mail_report_part_type is;
} leaves[] = {
        {"message", "delivery-status", MAIL_REPORT_STATUS},
        {"message", "global-delivery-status", MAIL_REPORT_STATUS},
        {"text", "delivery-status", MAIL_REPORT_STATUS},
        {"message", "feedback-report", MAIL_REPORT_FEEDBACK},
        {"text", "rfc822-headers", MAIL_REPORT_RETURNED},
        {"message", "rfc822-headers", MAIL_REPORT_RETURNED},
        {"message", "global-headers", MAIL_REPORT_RETURNED},
        {"message", "global", MAIL_REPORT_RETURNED},
        {"message", "partial", MAIL_REPORT_RETURNED},
};

static void add_leaf(struct walk *walk, GMimeObject *object)
{
	GMimeContentType *type = g_mime_object_get_content_type(object);
	for (size_t i = 0; i < sizeof leaves / sizeof leaves[0]; i++)
		if (g_mime_content_type_is_type(type, leaves[i].type, leaves[i].subtype)) {
			add_part(walk, leaves[i].is, content_of(GMIME_PART(object), walk->arena));
			return;
		}
	if (!GMIME_IS_TEXT_PART(object))
		return;
	if (!g_mime_content_type_is_type(type, "text", "html"))
		add_part(walk, MAIL_REPORT_TEXT, content_of(GMIME_PART(object), walk->arena));
	else if (walk->html == NULL)
		walk->html =
		        words_of_html(content_of(GMIME_PART(object), walk->arena), walk->arena);
}

static void add_returned(struct walk *walk, GMimeMessagePart *part)
{
	GMimeMessage *message = g_mime_message_part_get_message(part);
	if (message)
		add_part(walk, MAIL_REPORT_RETURNED, header_of(message, walk->arena));
}

static void walk_object(struct walk *walk, GMimeObject *object, int depth)
{
	if (object == NULL)
		return;
	if (depth > MIME_DEPTH_MAX || walk->objects++ >= MIME_OBJECTS_MAX) {
		walk->ret->excessive = true;
		return;
	}
	if (GMIME_IS_MULTIPART(object)) {
		GMimeMultipart *multipart = GMIME_MULTIPART(object);
		int n = g_mime_multipart_get_count(multipart);
		for (int i = 0; i < n && !walk->ret->excessive; i++)
			walk_object(walk, g_mime_multipart_get_part(multipart, i), depth + 1);
	} else if (GMIME_IS_MESSAGE_PART(object)) {
		add_returned(walk, GMIME_MESSAGE_PART(object));
	} else if (GMIME_IS_PART(object)) {
		add_leaf(walk, object);
	}
}

static const char *report_type_of(GMimeObject *root, struct arena *arena)
{
	GMimeContentType *type = root ? g_mime_object_get_content_type(root) : NULL;
	if (type == NULL || !g_mime_content_type_is_type(type, "multipart", "report"))
		return "";
	const char *value = g_mime_content_type_get_parameter(type, "report-type");
	return value ? mail_report_line(arena, value, strlen(value), VALUE_MAX) : "";
}

/* ---- what is too much ---- */

static bool begins(const char *line, size_t left, const char *name)
{
	size_t len = strlen(name);
	return left >= len && strncasecmp(line, name, len) == 0;
}

/* A field that GMime reads as addresses: of nested groups (RFC 5322, section 3.4) it keeps each on
 * its stack. */
static bool is_address_field(const char *line, size_t left)
{
	static const char *const names[] = {"To", "Cc", "Bcc", "From", "Sender", "Reply-To"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (begins(line, left, names[i]))
			return true;
	return false;
}

static size_t count(const char *bytes, size_t len, char c)
{
	size_t n = 0;
	for (const char *at = bytes; (at = memchr(at, c, len - (size_t)(at - bytes))); at++)
		n++;
	return n;
}

bool mime_is_excessive(const char *bytes, size_t len)
{
	const char *end = bytes + len;
	size_t types = 0, dashes = 0, groups = 0;
	bool addresses = false;
	for (const char *line = bytes, *next; line < end; line = next) {
		size_t left = (size_t)(end - line);
		const char *stop = memchr(line, '\n', left);
		next = stop ? stop + 1 : end;
		types += begins(line, left, "Content-Type");
		dashes += left >= 2 && line[0] == '-' && line[1] == '-';
		if (*line != ' ' && *line != '\t') {
			addresses = is_address_field(line, left);
			groups = 0;
		}
		groups += addresses ? count(line, (size_t)(next - line), ':') : 0;
		if (types > MIME_OBJECTS_MAX || dashes > MIME_DASHES_MAX ||
		    groups > MIME_GROUPS_MAX)
			return true;
	}
	return false;
}

/* Where the parts can't be told from each other: all that is behind the header, as it is. */
static void add_raw(struct walk *walk, const char *bytes, size_t len)
{
	for (const char *at = bytes; (at = memchr(at, '\n', len - (size_t)(at - bytes))); at++) {
		size_t left = len - (size_t)(at - bytes);
		if ((left > 1 && at[1] == '\n') || (left > 2 && at[1] == '\r' && at[2] == '\n')) {
			add_part(walk, MAIL_REPORT_TEXT,
			         mail_report_lines(walk->arena, at, left, MAIL_REPORT_TEXT_MAX));
			return;
		}
	}
}

static void read_message(struct walk *walk, GMimeMessage *message)
{
	GMimeObject *root = g_mime_message_get_mime_part(message);
	walk->ret->header = header_of(message, walk->arena);
	walk->ret->report_type = report_type_of(root, walk->arena);
	walk_object(walk, root, 0);
	for (size_t i = 0; i < walk->ret->n_parts; i++)
		if (walk->ret->parts[i].type == MAIL_REPORT_TEXT)
			return;
	if (walk->html)
		add_part(walk, MAIL_REPORT_TEXT, walk->html);
}

void mime_read(const char *bytes, size_t len, struct arena *arena, struct mail_report_mail *ret)
{
	*ret = (struct mail_report_mail){.header = "", .report_type = ""};
	size_t parsed = len < MIME_PARSED_MAX ? len : MIME_PARSED_MAX;
	if (len > MIME_BYTES_MAX || mime_is_excessive(bytes, parsed)) {
		ret->excessive = true;
		return;
	}
	GMimeStream *stream = g_mime_stream_mem_new_with_buffer(bytes, parsed);
	GMimeParser *parser = g_mime_parser_new_with_stream(stream);
	g_object_unref(stream);
	GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
	g_object_unref(parser);
	if (message == NULL) { /* a header without an end */
		ret->excessive = parsed < len;
		return;
	}
	struct walk walk = {.arena = arena, .ret = ret};
	read_message(&walk, message);
	if (ret->n_parts == 0 && !ret->excessive)
		add_raw(&walk, bytes, parsed);
	g_object_unref(message);
}
