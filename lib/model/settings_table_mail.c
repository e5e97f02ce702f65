/* SPDX-License-Identifier: MIT */
/*
 * Keys of the configuration from an event to a mail: feeds, databases, mails, relays, rules. What
 * is here is promised to scripts (a change of a name or a default is a breaking change); the sample
 * file and dispatchd.conf(5) are made from it by `make`. Only model/settings_table.c uses it.
 */
#include "base/units.h"
#include "model/settings_table.h"

#include <limits.h>

#define KEY(s, k)  .section = (s), .key = (k), .name = s "." k
#define AT(member) .offset = offsetof(struct settings, member)

enum { NAME_MAX_BYTES = 512, CREDENTIAL_MAX = 255 };

static const struct setting rows[] = {
        {
                KEY("redis", "url"),
                .kind = SETTING_REDIS_URL,
                AT(redis.url),
                .fallback = "redis://127.0.0.1:6379/0",
                .required = true,
                .secret = true,
                .help = "The Redis server: redis://HOST:PORT/DB, rediss://HOST:PORT/DB (TLS), "
                        "unix:///PATH?db=DB or sentinel://HOST:PORT,HOST:PORT/SERVICE/DB (the "
                        "master that these sentinels name), with USER:PASSWORD@ before the host or "
                        "path where it requires one.",
        },
        {
                KEY("redis", "ca_file"),
                .kind = SETTING_PATH,
                AT(redis.ca_file),
                .fallback = "",
                .example = "/etc/dispatchd/redis-ca.pem",
                .help = "The certificate authorities (PEM) for rediss://. Empty: those of the "
                        "system.",
        },
        {
                KEY("redis", "password_file"),
                .kind = SETTING_PATH,
                AT(redis.password_file),
                .fallback = "",
                .example = "/etc/dispatchd/redis-password",
                .help = "A file whose first line is Redis' password, to keep it out of url. A "
                        "systemd credential named redis-password does the same. If Redis rejects "
                        "the password, the file is read again.",
        },
        {
                KEY("redis", "stream"),
                .kind = SETTING_NAME,
                AT(redis.stream),
                .fallback = "jobs:events",
                .max_len = NAME_MAX_BYTES,
                .help = "The stream of job events, read as a consumer group: nothing is lost while "
                        "dispatchd is down. Empty: no stream.",
        },
        {
                KEY("redis", "list"),
                .kind = SETTING_NAME,
                AT(redis.list),
                .fallback = "",
                .example = "jobs:list",
                .max_len = NAME_MAX_BYTES,
                .help = "A list of job events to read as well (publishers use LPUSH); an item "
                        "waits in LIST:processing:CONSUMER until it is decided. Empty: no list.",
        },
        {
                KEY("redis", "channel"),
                .kind = SETTING_NAME,
                AT(redis.channel),
                .fallback = "",
                .example = "jobs:channel",
                .max_len = NAME_MAX_BYTES,
                .help = "A publish/subscribe channel to listen to as well. Redis keeps nothing for "
                        "a subscriber that is not connected: what is published then is lost. "
                        "Empty: no channel.",
        },
        {
                KEY("redis", "requests"),
                .kind = SETTING_NAME,
                AT(redis.requests),
                .fallback = "jobs:requests",
                .max_len = NAME_MAX_BYTES,
                .help = "The stream of requests to the dispatch gate. Empty: the gate is off.",
        },
        {
                KEY("redis", "outcomes"),
                .kind = SETTING_NAME,
                AT(redis.outcomes),
                .fallback = "jobs:outcomes",
                .max_len = NAME_MAX_BYTES,
                .required = true,
                .help = "The stream that every decision and its result is added to.",
        },
        {
                KEY("redis", "outcomes_max"),
                .kind = SETTING_COUNT,
                AT(redis.outcomes_max),
                .min = 1,
                .max = 1000000000,
                .fallback = "100000",
                .reload = true,
                .help = "About how many entries the stream of outcomes keeps.",
        },
        {
                KEY("redis", "dead"),
                .kind = SETTING_NAME,
                AT(redis.dead),
                .fallback = "jobs:dead",
                .max_len = NAME_MAX_BYTES,
                .required = true,
                .help = "The stream for dead letters: malformed entries, each with the reason.",
        },
        {
                KEY("redis", "dead_max"),
                .kind = SETTING_COUNT,
                AT(redis.dead_max),
                .min = 1,
                .max = 1000000000,
                .fallback = "100000",
                .reload = true,
                .help = "At most how many dead letters are kept.",
        },
        {
                KEY("redis", "dispatch"),
                .kind = SETTING_NAME,
                AT(redis.dispatch),
                .fallback = "jobs:dispatch",
                .example = "jobs:dispatch:{route}",
                .max_len = NAME_MAX_BYTES,
                .required = true,
                .help = "The stream of released jobs; {route} in it makes one stream per route.",
        },
        {
                KEY("redis", "customers"),
                .kind = SETTING_NAME,
                AT(redis.customers),
                .fallback = "customers:changes",
                .max_len = NAME_MAX_BYTES,
                .help = "The customers feed: a stream of changes to customers. Empty: no feed.",
        },
        {
                KEY("redis", "group"),
                .kind = SETTING_NAME,
                AT(redis.group),
                .fallback = "dispatchd",
                .max_len = NAME_MAX_BYTES,
                .required = true,
                .help = "The consumer group that streams are read with; created at the start of "
                        "the stream if it doesn't exist.",
        },
        {
                KEY("redis", "consumer"),
                .kind = SETTING_NAME,
                AT(redis.consumer),
                .fallback = "",
                .example = "dispatch-1",
                .max_len = NAME_MAX_BYTES,
                .help = "This daemon's name in the group, different for each daemon. Empty: the "
                        "host name.",
        },
        {
                KEY("redis", "claim_after"),
                .kind = SETTING_DURATION,
                AT(redis.claim_after_ms),
                .min = 1,
                .max = DURATION_MAX_MS,
                .fallback = "5m",
                .reload = true,
                .help = "Entries that another consumer of the group has left unacknowledged for "
                        "this long are taken over, as are list items of a consumer that is gone.",
        },
        {
                KEY("redis", "keep"),
                .kind = SETTING_DURATION,
                AT(redis.keep_ms),
                .min = 1,
                .max = DURATION_MAX_MS,
                .fallback = "7d",
                .reload = true,
                .help = "Entries older than this that every group of the stream has acknowledged "
                        "are trimmed, including the customers feed and the requests: those streams "
                        "are transport, not records. Consumers of our group that have been idle "
                        "that long are removed.",
        },
        {
                KEY("redis", "max_event_size"),
                .kind = SETTING_SIZE,
                AT(redis.max_event_size),
                .min = 1024,
                .max = 32 * 1024 * 1024, /* a string that Redis may answer with */
                .fallback = "256KiB",
                .reload = true,
                .help = "The largest event, counting all its fields; larger ones become dead "
                        "letters.",
        },
        {
                KEY("customers", "path"),
                .kind = SETTING_PATH,
                AT(customers.path),
                .fallback = "/var/lib/dispatchd/customers.db",
                .required = true,
                .help = "The SQLite file. It is created if it doesn't exist.",
        },
        {
                KEY("customers", "grace"),
                .kind = SETTING_DURATION,
                AT(customers.grace_ms),
                .max = DURATION_MAX_MS,
                .fallback = "60s",
                .reload = true,
                .help = "How long an event waits for a customer who is not known yet before it is "
                        "rejected. It keeps waiting while entries of the feed that were published "
                        "by then are still being applied.",
        },
        {
                KEY("customers", "key_file"),
                .kind = SETTING_PATH,
                AT(customers.key_file),
                .fallback = "",
                .example = "/etc/dispatchd/customers.key",
                .reload = true,
                .help = "A file with the key for the secret fields of systems: 32 bytes, or 64 hex "
                        "digits as openssl rand -hex 32 makes them; when empty, the systemd "
                        "credential customers-key. Without one, no secrets can be stored; if it is "
                        "lost, so are they.",
        },
        {
                KEY("customers", "max_file_size"),
                .kind = SETTING_SIZE,
                AT(customers.max_file_size),
                .min = 1024,
                .max = (int64_t)2 * 1024 * 1024 * 1024,
                .fallback = "64MiB",
                .reload = true,
                .help = "The largest document or picture that is accepted.",
        },
        {
                KEY("spool", "path"),
                .kind = SETTING_PATH,
                AT(spool.path),
                .fallback = "/var/lib/dispatchd/spool.db",
                .required = true,
                .help = "The SQLite file, on a disk that honors fsync.",
        },
        {
                KEY("spool", "keep"),
                .kind = SETTING_DURATION,
                AT(spool.keep_ms),
                .min = 1,
                .max = DURATION_MAX_MS,
                .fallback = "90d",
                .reload = true,
                .help = "How long events, mails and outcomes are kept once they have ended. An "
                        "event that is published again after that counts as new.",
        },
        {
                KEY("mail", "transport"),
                .kind = SETTING_CHOICE,
                AT(mail.transport),
                .choices = "smtp maildir",
                .fallback = "smtp",
                .help = "smtp hands mails to the relays of [smtp]; maildir writes them into the "
                        "folder maildir and sends nothing, for trials and tests.",
        },
        {
                KEY("mail", "maildir"),
                .kind = SETTING_PATH,
                AT(mail.maildir),
                .fallback = "",
                .example = "/var/lib/dispatchd/mails",
                .help = "The Maildir folder for transport = maildir.",
        },
        {
                KEY("mail", "from"),
                .kind = SETTING_MAILBOX,
                AT(mail.from),
                .fallback = "",
                .example = "Example Hauling <dispatch@example.com>",
                .reload = true,
                .help = "The sender of mails. dispatchd doesn't start without it.",
        },
        {
                KEY("mail", "envelope_from"),
                .kind = SETTING_ADDRESS,
                AT(mail.envelope_from),
                .fallback = "",
                .example = "bounces@example.com",
                .reload = true,
                .help = "Where bounces go, at a domain of the same organization "
                        "(dispatchd-senders(7)). "
                        "Empty: the address in from.",
        },
        {
                KEY("mail", "templates"),
                .kind = SETTING_PATH,
                AT(mail.templates),
                .fallback = "/etc/dispatchd/templates",
                .required = true,
                .reload = true,
                .help = "The folder of mail templates. If the default folder doesn't exist, the "
                        "built-in templates are used.",
        },
        {
                KEY("mail", "max_age"),
                .kind = SETTING_DURATION,
                AT(mail.max_age_ms),
                .min = 1,
                .max = DURATION_MAX_MS,
                .fallback = "14d",
                .reload = true,
                .help = "How long a mail that is temporarily refused is retried, whatever its "
                        "shelf life.",
        },
        {
                KEY("mail", "redirect_to"),
                .kind = SETTING_ADDRESS,
                AT(mail.redirect_to),
                .fallback = "",
                .example = "staging@example.com",
                .reload = true,
                .help = "The safe mode of a staging system: every mail, those to the office too, "
                        "goes to this address instead, with the true recipient in X-Dispatchd-To "
                        "and in front of the subject. What becomes of it changes no contact.",
        },
        {
                KEY("smtp", "relay"),
                .kind = SETTING_RELAYS,
                AT(smtp.relay),
                .fallback = "127.0.0.1:25",
                .example = "mail.example.com:25, [2001:db8::25]:25",
                .required = true,
                .reload = true,
                .help = "One or more mail servers, tried in order: HOST:PORT, [IPV6]:PORT (port 25 "
                        "by default, 465 with tls = implicit) or unix:PATH.",
        },
        {
                KEY("smtp", "tls"),
                .kind = SETTING_CHOICE,
                AT(smtp.tls),
                .choices = "none opportunistic required implicit",
                .fallback = "opportunistic",
                .reload = true,
                .help = "none never encrypts; opportunistic encrypts if the relay offers STARTTLS, "
                        "without verifying its certificate; required sends nothing without TLS 1.2 "
                        "or later and a certificate for the relay's name; implicit is the same "
                        "with "
                        "TLS from the first byte, as on port 465.",
        },
        {
                KEY("smtp", "helo"),
                .kind = SETTING_HELO,
                AT(smtp.helo),
                .fallback = "",
                .example = "mail.example.com",
                .reload = true,
                .help = "The name sent in EHLO. Empty: the host's full name, or, if it has none "
                        "that could be in the DNS, our address on the connection.",
        },
        {
                KEY("smtp", "ca_file"),
                .kind = SETTING_PATH,
                AT(smtp.ca_file),
                .fallback = "",
                .example = "/etc/ssl/certs/example-ca.pem",
                .reload = true,
                .help = "Certificate authorities to verify relays with (PEM). Empty: the system's.",
        },
        {
                KEY("smtp", "user"),
                .kind = SETTING_TEXT,
                AT(smtp.user),
                .fallback = "",
                .example = "dispatch",
                .max_len = CREDENTIAL_MAX,
                .reload = true,
                .help = "The user name for AUTH. Empty: no AUTH.",
        },
        {
                KEY("smtp", "password_file"),
                .kind = SETTING_PATH,
                AT(smtp.password_file),
                .fallback = "",
                .example = "/etc/dispatchd/smtp-password",
                .reload = true,
                .help = "A file whose first line is the password for AUTH. A systemd credential "
                        "named smtp-password does the same.",
        },
        {
                KEY("smtp", "oauth_token_file"),
                .kind = SETTING_PATH,
                AT(smtp.oauth_token_file),
                .fallback = "",
                .example = "/run/oauth/access-token",
                .reload = true,
                .help = "A file with an access token to log in with instead of a password, by "
                        "OAUTHBEARER or XOAUTH2: its first line, or the access_token of a JSON "
                        "object. Another program replaces it before the token expires; each "
                        "connection reads it. Needs user, and tls = required or implicit.",
        },
        {
                KEY("smtp", "client_cert"),
                .kind = SETTING_PATH,
                AT(smtp.client_cert),
                .fallback = "",
                .example = "/etc/dispatchd/client.pem",
                .reload = true,
                .help = "Our certificate, for a relay that asks for one (PEM), with those of the "
                        "authorities between behind it. Empty: none.",
        },
        {
                KEY("smtp", "client_key"),
                .kind = SETTING_PATH,
                AT(smtp.client_key),
                .fallback = "",
                .example = "/etc/dispatchd/client.key",
                .reload = true,
                .help = "The private key of client_cert (PEM, without a passphrase). Empty: it is "
                        "in the same file. A key that everybody can read is a fault.",
        },
        {
                KEY("smtp", "weight"),
                .kind = SETTING_COUNT,
                AT(smtp.weight),
                .max = 1000,
                .fallback = "0",
                .example = "1",
                .reload = true,
                .help = "0: the relay is tried in order. Relays with a weight that follow one "
                        "another share the mails in proportion to their weights.",
        },
        {
                KEY("smtp", "connections"),
                .kind = SETTING_COUNT,
                AT(smtp.connections),
                .min = 1,
                .max = 256,
                .fallback = "16",
                .help = "How many connections to relays may be open at once. In [smtp.NAME], how "
                        "many of them to that relay; a reload is enough there.",
        },
        {
                KEY("smtp", "rate"),
                .kind = SETTING_RATE,
                AT(smtp.rate),
                .fallback = "",
                .example = "20",
                .reload = true,
                .help = "The maximum number of mails sent per second, over all relays. In "
                        "[smtp.NAME], over that relay. Empty: no limit.",
        },
        {
                KEY("rules", "timezone"),
                .kind = SETTING_ZONE,
                AT(rules.timezone),
                .fallback = "",
                .example = "America/Chicago",
                .reload = true,
                .help = "The IANA time zone of customers without one of their own. Empty: the "
                        "host's.",
        },
        {
                KEY("rules", "per_contact"),
                .kind = SETTING_LIMIT,
                AT(rules.per_contact),
                .max = PER_CONTACT_MAX,
                .fallback = "",
                .example = "20/1h",
                .reload = true,
                .help = "At most so many mails to one contact in so long. A mail over that joins "
                        "the next group of that contact and state, due when the limit allows, or "
                        "is expired where that is after its shelf life. Empty: no limit.",
        },
        {
                KEY("rules", "burst"),
                .kind = SETTING_LIMIT,
                AT(rules.burst),
                .fallback = "",
                .example = "2000/5m",
                .reload = true,
                .help = "More new mails to contacts than that in so long, as a replayed stream "
                        "makes them, open the breaker: new mails are held back, the office gets "
                        "one mail that says so, and dispatchctl breaker releases or discards them. "
                        "Empty: none are.",
        },
};
const struct setting_rows settings_rows_mail = {rows, sizeof rows / sizeof rows[0]};
