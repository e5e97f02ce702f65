/* SPDX-License-Identifier: MIT */
/* Every composed mail is read back by GMime, an implementation that is not ours: it must find what
 * went in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "mail/compose.h"

#include <gmime/gmime.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct compose_mail plain = {
        .from_name = "Example Hauling",
        .from = "dispatch@example.com",
        .to_name = "Rosa",
        .to = "rosa@example.com",
        .reply_to_name = "",
        .reply_to = "",
        .subject = "Your job is done",
        .message_id = "<1@example.com>",
        .thread_id = "",
        .made = {1798119000000},
        .text = "Hello.\n",
};

/* What GMime reads, as text of our own. */
struct mail {
	char *subject, *to_name, *to, *from_name, *from, *text, *html;
	GMimeMessage *message;
};

static char *part_text(GMimeObject *part)
{
	GMimeStream *stream = g_mime_stream_mem_new();
	GMimeDataWrapper *content = g_mime_part_get_content(GMIME_PART(part));
	g_mime_data_wrapper_write_to_stream(content, stream);
	GByteArray *bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
	char *text = mem_alloc(bytes->len + 1);
	if (bytes->len > 0)
		memcpy(text, bytes->data, bytes->len);
	g_object_unref(stream);
	return text;
}

static void read_mailbox(GMimeMessage *message, GMimeAddressType type, char **name, char **address)
{
	InternetAddressList *list = g_mime_message_get_addresses(message, type);
	assert_int_equal(internet_address_list_length(list), 1);
	InternetAddress *one = internet_address_list_get_address(list, 0);
	const char *display = internet_address_get_name(one);
	*name = mem_strdup(display ? display : "");
	*address = mem_strdup(internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(one)));
}

/* What holds for every mail: CRLF only, 7-bit, no NUL, short lines. */
static void check_bytes(const struct buf *out)
{
	size_t line = 0;
	assert_true(out->len > 2 && memcmp(out->data + out->len - 2, "\r\n", 2) == 0);
	for (size_t i = 0; i < out->len; i++) {
		unsigned char c = (unsigned char)out->data[i];
		assert_true(c == '\r' || c == '\n' || c == '\t' || (c >= ' ' && c < 0x7f));
		assert_true(c != '\n' || (i > 0 && out->data[i - 1] == '\r'));
		assert_true(c != '\r' || out->data[i + 1] == '\n');
		assert_false(c == '.' && line == 0); /* nothing to stuff */
		line = c == '\n' ? 0 : line + 1;
		assert_true(line <= 998);
	}
}

static struct mail read_back(const struct compose_mail *mail)
{
	struct buf out = {0};
	struct mail ret = {0};
	compose_mail(mail, &out);
	check_bytes(&out);
	GMimeStream *stream = g_mime_stream_mem_new_with_buffer(out.data, out.len);
	GMimeParser *parser = g_mime_parser_new_with_stream(stream);
	ret.message = g_mime_parser_construct_message(parser, NULL);
	assert_non_null(ret.message);
	ret.subject = mem_strdup(g_mime_message_get_subject(ret.message));
	read_mailbox(ret.message, GMIME_ADDRESS_TYPE_TO, &ret.to_name, &ret.to);
	read_mailbox(ret.message, GMIME_ADDRESS_TYPE_FROM, &ret.from_name, &ret.from);
	GMimeObject *root = g_mime_message_get_mime_part(ret.message);
	if (GMIME_IS_MULTIPART(root)) {
		assert_int_equal(g_mime_multipart_get_count(GMIME_MULTIPART(root)), 2);
		ret.text = part_text(g_mime_multipart_get_part(GMIME_MULTIPART(root), 0));
		ret.html = part_text(g_mime_multipart_get_part(GMIME_MULTIPART(root), 1));
	} else {
		ret.text = part_text(root);
	}
	g_object_unref(parser);
	g_object_unref(stream);
	buf_free(&out);
	return ret;
}

static void mail_clear(struct mail *mail)
{
	g_object_unref(mail->message);
	free(mail->subject);
	free(mail->to_name);
	free(mail->to);
	free(mail->from_name);
	free(mail->from);
	free(mail->text);
	free(mail->html);
}

static void header_is(const struct mail *mail, const char *name, const char *expected)
{
	const char *value = g_mime_object_get_header(GMIME_OBJECT(mail->message), name);
	assert_non_null(value);
	assert_string_equal(value, expected);
}

static size_t count_headers(const struct mail *mail)
{
	return (size_t)g_mime_header_list_get_count(
	        g_mime_object_get_header_list(GMIME_OBJECT(mail->message)));
}

/* What a text looks like once it is whole lines with CRLF. */
static char *canonical(const char *text)
{
	struct buf out = {0};
	for (; *text != '\0'; text++) {
		if (*text == '\n')
			buf_addc(&out, '\r');
		buf_addc(&out, *text);
	}
	if (out.len > 0 && out.data[out.len - 1] != '\n')
		buf_adds(&out, "\r\n");
	return buf_take(&out);
}

static void the_headers_of_a_mail(void **state)
{
	(void)state;
	static const char *const jobs[] = {"4711", "M\xc3\xbcll 7%", " x ",
	                                   "a\r\nBcc: b@example.com"};
	struct compose_mail mail = plain;
	mail.thread_id = "<2@example.com>";
	mail.reply_to = "office@example.com";
	mail.jobs = jobs;
	mail.n_jobs = 4;
	struct mail got = read_back(&mail);
	header_is(&got, "Date", "Thu, 24 Dec 2026 13:30:00 +0000");
	header_is(&got, "From", "Example Hauling <dispatch@example.com>");
	header_is(&got, "Message-ID", "<1@example.com>");
	header_is(&got, "In-Reply-To", "<2@example.com>");
	header_is(&got, "References", "<2@example.com>");
	header_is(&got, "Reply-To", "office@example.com");
	header_is(&got, "Auto-Submitted", "auto-generated");
	header_is(&got, "X-Auto-Response-Suppress", "All");
	header_is(&got, "MIME-Version", "1.0");
	static const char *const expected[] = {"4711", "M%C3%BCll 7%25", "%20x%20",
	                                       "a%0D%0ABcc: b@example.com"};
	GMimeHeaderList *list = g_mime_object_get_header_list(GMIME_OBJECT(got.message));
	size_t n = 0;
	for (int i = 0; i < g_mime_header_list_get_count(list); i++) {
		GMimeHeader *header = g_mime_header_list_get_header_at(list, i);
		if (strcmp(g_mime_header_get_name(header), "X-Dispatchd-Job") == 0)
			assert_string_equal(g_mime_header_get_value(header), expected[n++]);
	}
	assert_int_equal(n, 4);
	mail_clear(&got);
}

static void optional_headers_are_left_out(void **state)
{
	(void)state;
	struct mail got = read_back(&plain);
	assert_null(g_mime_object_get_header(GMIME_OBJECT(got.message), "Reply-To"));
	assert_null(g_mime_object_get_header(GMIME_OBJECT(got.message), "In-Reply-To"));
	assert_null(g_mime_object_get_header(GMIME_OBJECT(got.message), "References"));
	assert_null(g_mime_object_get_header(GMIME_OBJECT(got.message), "Bcc"));
	assert_null(got.html);
	mail_clear(&got);
}

#define COMBINING "Zo\x65\xcc\x88 n\xcc\x83\xcc\x8c"
static const char *const scripts[] = {
        "Your job is done",
        "M\xc3\xbcller & S\xc3\xb6hne",
        "\xd8\xb4\xd8\xb1\xd9\x83\xd8\xa9 \xd8\xa7\xd9\x84\xd9\x86\xd9\x82\xd9\x84 "
        "\xd8\xa7\xd9\x84\xd8\xb3\xd8\xb1\xd9\x8a\xd8\xb9",
        "\xe4\xb8\x9c\xe4\xba\xac\xe6\xb8\x85\xe8\xbf\x90\xe5\x85\xac\xe5\x8f\xb8",
        "\xe6\x9d\xb1\xe4\xba\xac\xe3\x83\x88\xe3\x83\xa9\xe3\x83\x83\xe3\x82\xaf "
        "\xed\x95\x9c\xea\xb5\xad",
        "\xd0\x93\xd1\x80\xd1\x83\xd0\xb7\xd0\xbe\xd0\xb2\xd0\xb8\xd0\xba \xe2\x84\x96 5",
        "\xf0\x9f\x9a\x9b\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7 "
        "\xf0\x9f\x87\xa9\xf0\x9f\x87\xaa",
        COMBINING,
        "\xe0\xb8\xa3\xe0\xb8\x96\xe0\xb8\x82\xe0\xb8\xa2\xe0\xb8\xb0 "
        "\xe0\xa4\x95\xe0\xa4\x9a\xe0\xa4\xb0\xe0\xa4\xbe",
        "Smith, \"Bob\" <bob@example.com>; (x) \\ : @ .",
        "=?utf-8?Q?not_encoded?=",
        "a  double  space",
        "equals=sign_and_underscore ? =41",
        "x",
        "Averyverylongwordwithoutanyspaceinitthatislongerthanalineofaheadershouldeverbecomeinanymai"
        "l",
        "words and words and words and words and words and words and words and words and words and "
        "words",
        "%s%n%x",
};

static void names_and_subjects_in_every_script(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
		struct compose_mail mail = plain;
		mail.subject = mail.to_name = mail.from_name = scripts[i];
		mail.text = mail.html = scripts[i];
		struct mail got = read_back(&mail);
		char *text = canonical(scripts[i]);
		assert_string_equal(got.subject, scripts[i]);
		assert_string_equal(got.to_name, scripts[i]);
		assert_string_equal(got.from_name, scripts[i]);
		assert_string_equal(got.to, "rosa@example.com");
		assert_string_equal(got.text, text);
		assert_string_equal(got.html, text);
		free(text);
		mail_clear(&got);
	}
}

/* Subjects of every length in one, two, three and four bytes a character: the folds fall everywhere
 * once. */
static void subjects_of_every_length(void **state)
{
	(void)state;
	static const char *const pieces[] = {
	        "a",         "ab ",      "\xc3\xbc", "\xe4\xb8\x9c", "\xf0\x9f\x9a\x9b",
	        "\xc3\xbc ", "a\xcc\x88"};
	for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++) {
		struct buf subject = {0};
		for (int n = 0; n < 250; n++) {
			buf_adds(&subject, pieces[p]);
			if (subject.data[subject.len - 1] == ' ')
				continue;
			struct compose_mail mail = plain;
			mail.subject = mail.to_name = subject.data;
			struct mail got = read_back(&mail);
			assert_string_equal(got.subject, subject.data);
			assert_string_equal(got.to_name, subject.data);
			mail_clear(&got);
		}
		buf_free(&subject);
	}
}

static const char *const bodies[] = {
        "Hello.\n",
        "no line break at the end",
        "",
        "\n",
        "\n\n\n",
        "before\n.\nafter\n..\n.x\n",
        "From the office\nFrom me\n",
        "trailing blanks  \nand a tab\t\n",
        "tab\tinside\n",
        "--=_0123\n--=_0123--\n--\n",
        "= =3D =\n",
        "a line of exactly seventy-six characters, which is the most there may be on1\n",
        "a line of exactly seventy-seven characters, which is one more than allowed12\n",
        "M\xc3\xbcller\n",
        "\xe4\xb8\x9c\xe4\xba\xac\xe6\xb8\x85\xe8\xbf\x90\xe5\x85\xac\xe5\x8f\xb8\n\n\xf0\x9f\x9a"
        "\x9b\n",
        COMBINING "\n",
};

static void bodies_come_back_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
		struct compose_mail mail = plain;
		char *text = canonical(bodies[i]);
		mail.text = mail.html = bodies[i];
		struct mail got = read_back(&mail);
		assert_string_equal(got.text, text);
		assert_string_equal(got.html, text);
		mail_clear(&got);
		mail.html = NULL;
		got = read_back(&mail);
		assert_string_equal(got.text, text);
		mail_clear(&got);
		free(text);
	}
}

static void long_lines_come_back_whole(void **state)
{
	(void)state;
	static const char *const pieces[] = {"x",
	                                     "word ",
	                                     ".",
	                                     "F",
	                                     "=",
	                                     "\xc3\xbc",
	                                     "\xe4\xb8\x9c\xe4\xba\xac",
	                                     "From ",
	                                     "..",
	                                     "\xf0\x9f\x9a\x9b a"};
	for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++) {
		struct buf text = {0};
		while (text.len < 5000)
			buf_adds(&text, pieces[p]);
		buf_adds(&text, "\nend\n");
		struct compose_mail mail = plain;
		mail.text = text.data;
		struct mail got = read_back(&mail);
		char *expected = canonical(text.data);
		assert_string_equal(got.text, expected);
		free(expected);
		mail_clear(&got);
		buf_free(&text);
	}
}

static void line_breaks_of_all_kinds_become_crlf(void **state)
{
	(void)state;
	struct compose_mail mail = plain;
	mail.text = "a\nb\r\nc\rd\n\re\r\r\nf";
	struct mail got = read_back(&mail);
	assert_string_equal(got.text, "a\r\nb\r\nc\r\nd\r\n\r\ne\r\n\r\nf\r\n");
	mail_clear(&got);
}

static void control_characters_become_spaces(void **state)
{
	(void)state;
	struct compose_mail mail = plain;
	mail.text = "a\x01z\x1bz\x7fz\x0bz";
	mail.subject = "a\x01z\x1bz\x7fz\tz \xc2\x85z\xe2\x80\xa8z";
	mail.to_name = "\x01 a\x08z ";
	struct mail got = read_back(&mail);
	assert_string_equal(got.text, "a z z z z\r\n");
	assert_string_equal(got.subject, "a z z z z  z z");
	assert_string_equal(got.to_name, "a z");
	mail_clear(&got);
}

static void what_is_no_utf8_is_marked(void **state)
{
	(void)state;
	struct compose_mail mail = plain;
	mail.text = "a\xffz \xc3 \xe4\xb8 \xc0\xaf \xed\xa0\x80 \xf4\x90\x80\x80 \xe4\xb8";
	mail.subject = mail.to_name = "a\xffz\xc3";
	struct mail got = read_back(&mail);
#define BAD "\xef\xbf\xbd"
	assert_string_equal(got.text, "a" BAD "z " BAD " " BAD BAD " " BAD BAD " " BAD BAD BAD
	                              " " BAD BAD BAD BAD " " BAD BAD "\r\n");
	assert_string_equal(got.subject, "a" BAD "z" BAD);
	assert_string_equal(got.to_name, "a" BAD "z" BAD);
	mail_clear(&got);
}

/* Each field that data can reach carries an attack; the mail has the same headers as without. */
static void no_field_can_add_a_header(void **state)
{
	(void)state;
	static const char *const attacks[] = {
	        "x\r\nBcc: evil@example.com",
	        "x\nBcc: evil@example.com",
	        "x\rBcc: evil@example.com",
	        "x\r\n\r\n<b>body</b>",
	        "x\r\n Bcc: a@example.com",
	        "\r\nBcc: evil@example.com",
	        "\xc3\xbc\r\nBcc: a@b.c",
	        "x\xe2\x80\xa8"
	        "Bcc: a@b.c",
	        "x\xc2\x85"
	        "Bcc: a@b.c",
	        "x\x0b"
	        "Bcc: a@b.c",
	        "=?utf-8?Q?=0D=0ABcc:_a@example.com?=",
	};
	struct mail normal = read_back(&plain);
	size_t n = count_headers(&normal);
	mail_clear(&normal);
	for (size_t i = 0; i < sizeof attacks / sizeof *attacks; i++) {
		for (int field = 0; field < 6; field++) {
			struct compose_mail mail = plain;
			const char *jobs[] = {attacks[i]};
			const char **fields[] = {&mail.subject,    &mail.to_name,   &mail.from_name,
			                         &mail.message_id, &mail.thread_id, &mail.text};
			*fields[field] = attacks[i];
			mail.jobs = jobs;
			mail.n_jobs = field == 0 ? 1 : 0;
			struct mail got = read_back(&mail);
			assert_null(g_mime_object_get_header(GMIME_OBJECT(got.message), "Bcc"));
			size_t more = mail.n_jobs + (field == 4 ? 2 : 0);
			assert_int_equal(count_headers(&got), n + more);
			mail_clear(&got);
		}
	}
}

static void expect_lines(const struct compose_mail *mail, const char *lines)
{
	struct buf out = {0};
	compose_mail(mail, &out);
	check_bytes(&out);
	if (strstr(out.data, lines) == NULL)
		fail_msg("%s is not in\n%s", lines, out.data);
	buf_free(&out);
}

static void where_a_reader_says_no_more(void **state)
{
	(void)state;
	struct compose_mail mail = plain;
	struct buf none = {0};
	compose_mail(&mail, &none);
	assert_null(strstr(none.data, "List-"));
	buf_free(&none);
	mail.opt_out_address = "b+abc@example.com";
	expect_lines(&mail,
	             "\r\nList-Unsubscribe: <mailto:b+abc@example.com?subject=unsubscribe>\r\n"
	             "MIME-Version");
	mail.opt_out_url = "https://center.example.com/u/abc";
	expect_lines(&mail, "?subject=unsubscribe>,\r\n <https://center.example.com/u/abc>\r\n"
	                    "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nMIME-Version");
	mail.opt_out_address = "a&b?c%=abc@example.com";
	expect_lines(&mail, "<mailto:a%26b%3Fc%25%3Dabc@example.com?subject=unsubscribe>,");
}

static void the_same_mail_is_the_same_bytes(void **state)
{
	(void)state;
	struct compose_mail mail = plain;
	struct buf a = {0}, b = {0};
	mail.html = "<p>M\xc3\xbcller</p>";
	compose_mail(&mail, &a);
	compose_mail(&mail, &b);
	assert_string_equal(a.data, b.data);
	buf_reset(&b);
	mail.message_id = "<other@example.com>";
	compose_mail(&mail, &b);
	assert_string_not_equal(strstr(a.data, "boundary="), strstr(b.data, "boundary="));
	buf_free(&a);
	buf_free(&b);
}

/* The encoding that is smallest, and lines of 76 at most. */
static void encodings_are_chosen_by_size(void **state)
{
	(void)state;
	static const struct {
		const char *text, *encoding;
	} cases[] = {
	        {"Short and plain.\n", "7bit"},
	        {"Caf\xc3\xa9 is open, come in and find out what is new.\n", "quoted-printable"},
	        {"\xe4\xb8\x9c\xe4\xba\xac\xe6\xb8\x85\xe8\xbf\x90\xe5\x85\xac\xe5\x8f\xb8\n",
	         "base64"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct compose_mail mail = plain;
		struct buf out = {0};
		char expected[80];
		mail.text = cases[i].text;
		compose_mail(&mail, &out);
		(void)snprintf(expected, sizeof expected, "\r\nContent-Transfer-Encoding: %s\r\n",
		               cases[i].encoding);
		assert_non_null(strstr(out.data, expected));
		for (const char *p = out.data; *p != '\0'; p = strstr(p, "\r\n") + 2)
			assert_true(strcspn(p, "\r") <= 76);
		buf_free(&out);
	}
}

static void dates_before_and_far_after(void **state)
{
	(void)state;
	static const struct {
		int64_t ms;
		const char *date;
	} cases[] = {
	        {0, "Thu, 1 Jan 1970 00:00:00 +0000"},
	        {-1, "Wed, 31 Dec 1969 23:59:59 +0000"},
	        {951782399999, "Mon, 28 Feb 2000 23:59:59 +0000"},
	        {951782400000, "Tue, 29 Feb 2000 00:00:00 +0000"},
	        {4102444800000, "Fri, 1 Jan 2100 00:00:00 +0000"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct compose_mail mail = plain;
		mail.made = (struct instant){cases[i].ms};
		struct mail got = read_back(&mail);
		header_is(&got, "Date", cases[i].date);
		mail_clear(&got);
	}
}

int main(void)
{
	g_mime_init();
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_headers_of_a_mail),
	        cmocka_unit_test(optional_headers_are_left_out),
	        cmocka_unit_test(names_and_subjects_in_every_script),
	        cmocka_unit_test(subjects_of_every_length),
	        cmocka_unit_test(bodies_come_back_whole),
	        cmocka_unit_test(long_lines_come_back_whole),
	        cmocka_unit_test(line_breaks_of_all_kinds_become_crlf),
	        cmocka_unit_test(control_characters_become_spaces),
	        cmocka_unit_test(what_is_no_utf8_is_marked),
	        cmocka_unit_test(no_field_can_add_a_header),
	        cmocka_unit_test(the_same_mail_is_the_same_bytes),
	        cmocka_unit_test(encodings_are_chosen_by_size),
	        cmocka_unit_test(dates_before_and_far_after),
	        cmocka_unit_test(where_a_reader_says_no_more),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	g_mime_shutdown();
	return failed;
}
