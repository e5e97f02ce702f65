/* SPDX-License-Identifier: MIT */
/*
 * A person's reply, to be sent on by the daemon, which parses no MIME and may use a relay that
 * knows no 8BITMIME. GMime encodes what isn't ASCII or has long lines; it believes what a part
 * says of its own encoding, so that the result is checked like anything else from outside.
 */
#include "bounce/read/entity.h"

#include "base/utf8.h"
#include "bounce/read/mime.h"
#include "mail/forward.h"

#include <gmime/gmime.h>
#include <string.h>

enum { FIELDS_MAX = 20000 };

/* Lines that may be a field of some header: GMime keeps hundreds of bytes for each. */
static bool has_too_many_fields(const char *bytes, size_t len)
{
	size_t fields = 0;
	for (const char *line = bytes, *end = bytes + len; line < end && fields <= FIELDS_MAX;) {
		size_t left = (size_t)(end - line);
		const char *next = memchr(line, '\n', left);
		const char *colon = memchr(line, ':', next ? (size_t)(next - line) : left);
		fields += colon != NULL;
		line = next ? next + 1 : end;
	}
	return fields > FIELDS_MAX;
}

/* A body of 8 bits that doesn't say in which charset: ours is a guess, but one that shows. */
static void name_charset(GMimeObject *root, const char *bytes, size_t len)
{
	if (!GMIME_IS_TEXT_PART(root))
		return;
	GMimeContentType *type = g_mime_object_get_content_type(root);
	const char *charset = g_mime_content_type_get_parameter(type, "charset");
	bool plain = true;
	for (size_t i = 0; i < len && plain; i++)
		plain = (unsigned char)bytes[i] < 0x80;
	if (plain || (charset && strcasecmp(charset, "us-ascii") != 0))
		return;
	g_mime_object_set_content_type_parameter(root, "charset",
	                                         utf8_valid(bytes, len) ? "utf-8" : "windows-1252");
}

static void write_object(GMimeObject *root, struct buf *ret)
{
	GMimeStream *stream = g_mime_stream_mem_new();
	GMimeFormatOptions *options = g_mime_format_options_new();
	g_mime_format_options_set_newline_format(options, GMIME_NEWLINE_FORMAT_DOS);
	g_mime_object_write_to_stream(root, options, stream);
	GByteArray *bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
	buf_add(ret, bytes->data, bytes->len);
	if (ret->len > 0 && ret->data[ret->len - 1] != '\n')
		buf_adds(ret, "\r\n");
	g_mime_format_options_free(options);
	g_object_unref(stream);
}

/* False where it isn't a mail, or one that can't be sent on like this. */
static bool write_parsed(const char *bytes, size_t len, struct buf *ret)
{
	GMimeStream *stream = g_mime_stream_mem_new_with_buffer(bytes, len);
	GMimeParser *parser = g_mime_parser_new_with_stream(stream);
	g_object_unref(stream);
	GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);
	g_object_unref(parser);
	GMimeObject *root = message ? g_mime_message_get_mime_part(message) : NULL;
	if (root) {
		name_charset(root, bytes, len);
		g_mime_object_encode(root, GMIME_ENCODING_CONSTRAINT_7BIT);
		write_object(root, ret);
	}
	if (message)
		g_object_unref(message);
	return root && (ret->len > FORWARD_BYTES_MAX || forward_check(ret->data, ret->len, NULL));
}

/* All of it as an attachment: nothing is lost, and whoever gets it can open it. */
static void write_attached(const char *bytes, size_t len, struct buf *ret)
{
	enum { LINE_BYTES = 57 }; /* 76 characters (RFC 2045, section 6.8) */
	buf_adds(ret, "Content-Type: application/octet-stream; name=\"reply.eml\"\r\n"
	              "Content-Transfer-Encoding: base64\r\n"
	              "Content-Disposition: attachment; filename=\"reply.eml\"\r\n\r\n");
	for (size_t at = 0; at < len; at += LINE_BYTES) {
		size_t n = len - at < LINE_BYTES ? len - at : LINE_BYTES;
		gchar *line = g_base64_encode((const guchar *)bytes + at, n);
		buf_printf(ret, "%s\r\n", line);
		g_free(line);
	}
}

void entity_write(const char *bytes, size_t len, struct buf *ret)
{
	if (!mime_is_excessive(bytes, len) && !has_too_many_fields(bytes, len) &&
	    write_parsed(bytes, len, ret))
		return;
	buf_reset(ret);
	write_attached(bytes, len, ret);
}
