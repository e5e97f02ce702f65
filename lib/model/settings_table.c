/* SPDX-License-Identifier: MIT */
/*
 * All keys of the configuration, one row each. What is here is promised to scripts (a change of
 * a name or a default is a breaking change); the sample file and dispatchd.conf(5) are made from it
 * by `make`.
 */
#include "model/settings_table.h"

#include "base/units.h"

#include <limits.h>

#define KEY(s, k) .section = (s), .key = (k), .name = s "." k
/* A page of other software, where the center's pages lead to. */
#define JUMP(member, like, what)                                                                   \
	{                                                                                          \
		KEY("center", #member), .kind = SETTING_TEXT, AT(center.member), .fallback = "",   \
		                        .example = like, .max_len = 1000, .reload = true,          \
		                        .help = what                                               \
	}
#define AT(member)     .offset = offsetof(struct settings, member)
#define NOTIFY(member) .offset = offsetof(struct notify_settings, member)

enum { NAME_MAX_BYTES = 512, CREDENTIAL_MAX = 255 };

const struct setting_section settings_sections[] = {
        {"redis", "Where job events come from and outcomes go to."},
        {"customers", "The office's database of customers."},
        {"spool", "The daemon's own database: events, decisions, mails and their outcomes."},
        {"mail", "What mails look like, and how they are sent."},
        {"smtp", "The mail servers that mails are handed to (transport = smtp)."},
        {"rules", "Settings for all rules."},
        {"office", "The people who work with dispatchd."},
        {"gate", "Answers to the dispatch software's requests to create or dispatch a job."},
        {"http", "Health, metrics, and questions to the dispatch gate."},
        {"company", "What templates see as company."},
        {"center", "The customer center, dispatch-center: the pages of the office, and their API. "
                   "dispatch-center reads it when it starts."},
        {"notify",
         "When customers are notified of a job's states. A section [notify.STATE] (%s) has the "
         "same keys for that state alone and wins over [notify]."},
};
const size_t settings_sections_len = sizeof settings_sections / sizeof settings_sections[0];

const struct setting settings_table[] = {
        {
                KEY("redis", "url"),
                .kind = SETTING_REDIS_URL,
                AT(redis.url),
                .fallback = "redis://127.0.0.1:6379/0",
                .required = true,
                .secret = true,
                .help = "The Redis server: redis://HOST:PORT/DB or unix:///PATH?db=DB, with "
                        "USER:PASSWORD@ before the host or path where it requires one.",
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
                .help = "Where bounces go. Empty: the address in from.",
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
                KEY("smtp", "relay"),
                .kind = SETTING_RELAYS,
                AT(smtp.relay),
                .fallback = "127.0.0.1:25",
                .example = "mail.example.com:25, [2001:db8::25]:25",
                .required = true,
                .reload = true,
                .help = "One or more mail servers, tried in order: HOST:PORT, [IPV6]:PORT (port 25 "
                        "by default) or unix:PATH.",
        },
        {
                KEY("smtp", "tls"),
                .kind = SETTING_CHOICE,
                AT(smtp.tls),
                .choices = "none opportunistic required",
                .fallback = "opportunistic",
                .reload = true,
                .help = "none never encrypts; opportunistic encrypts if the relay offers STARTTLS, "
                        "without verifying its certificate; required sends nothing without TLS 1.2 "
                        "or later and a certificate for the relay's name.",
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
                KEY("smtp", "connections"),
                .kind = SETTING_COUNT,
                AT(smtp.connections),
                .min = 1,
                .max = 256,
                .fallback = "16",
                .help = "How many connections to relays may be open at once.",
        },
        {
                KEY("smtp", "rate"),
                .kind = SETTING_RATE,
                AT(smtp.rate),
                .fallback = "",
                .example = "20",
                .reload = true,
                .help = "The maximum number of mails sent per second. Empty: no limit.",
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
                KEY("office", "email"),
                .kind = SETTING_MAILBOX,
                AT(office.email),
                .fallback = "",
                .example = "office@example.com",
                .reload = true,
                .help = "Who is notified at once when a job is under way for a customer whose "
                        "service is suspended.",
        },
        {
                KEY("office", "managers"),
                .kind = SETTING_LIST,
                AT(office.managers),
                .fallback = "",
                .example = "alex, robin",
                .reload = true,
                .help = "Users with a manager's rights, besides root and the owner of "
                        "customers.db.",
        },
        {
                KEY("gate", "outside_hours"),
                .kind = SETTING_CHOICE,
                AT(gate.outside_hours),
                .choices = "flag hold deny",
                .fallback = "flag",
                .reload = true,
                .help = "What happens to a job scheduled outside its customer's service hours: "
                        "flag releases it with a mark, hold keeps it until the window of that day "
                        "opens, deny refuses it.",
        },
        {
                KEY("gate", "hold_max"),
                .kind = SETTING_DURATION,
                AT(gate.hold_max_ms),
                .min = 1,
                .max = DURATION_MAX_MS,
                .fallback = "7d",
                .reload = true,
                .help = "How long a job without a scheduled time is held before it expires.",
        },
        {
                KEY("http", "listen"),
                .kind = SETTING_LISTEN,
                AT(http.listen),
                .fallback = "127.0.0.1:8925",
                .help = "Where health, metrics and the gate are served: HOST:PORT, [IPV6]:PORT or "
                        "unix:PATH. Port 0 is any free port; the log names it. Empty: HTTP is off. "
                        "A suspension's note is shown over a Unix socket only, since any user of "
                        "the host may connect to a port.",
        },
        {
                KEY("http", "hosts"),
                .kind = SETTING_HOSTS,
                AT(http.hosts),
                .fallback = "",
                .example = "dispatch.example.com",
                .reload = true,
                .help = "Host names besides localhost that requests to the gate over TCP may use. "
                        "A request whose Host is another name is refused (421), so that no web "
                        "page can reach the gate by DNS rebinding; addresses are always allowed.",
        },
        {
                KEY("http", "group"),
                .kind = SETTING_TEXT,
                AT(http.group),
                .fallback = "",
                .example = "dispatch",
                .max_len = 64,
                .help = "The group that may use the Unix socket (mode 0660); dispatchd's user must "
                        "be a member of it. Empty: the daemon's own group.",
        },
        {
                KEY("company", "name"),
                .kind = SETTING_TEXT,
                AT(company.name),
                .fallback = "",
                .example = "Example Hauling",
                .max_len = 200,
                .reload = true,
                .help = "The company's name. Empty: the name in [mail] from.",
        },
        {
                KEY("company", "phone"),
                .kind = SETTING_TEXT,
                AT(company.phone),
                .fallback = "",
                .example = "+1 555 0100",
                .max_len = 200,
                .reload = true,
                .help = "The number that customers are asked to call.",
        },
        {
                KEY("company", "website"),
                .kind = SETTING_TEXT,
                AT(company.website),
                .fallback = "",
                .example = "https://www.example.com/",
                .max_len = 200,
                .reload = true,
                .help = "The company's website.",
        },
        {
                KEY("center", "listen"),
                .kind = SETTING_LISTEN,
                AT(center.listen),
                .fallback = "127.0.0.1:8926",
                .required = true,
                .reload = true,
                .help = "Where the center's pages are served: HOST:PORT, [IPV6]:PORT or "
                        "unix:PATH. Anybody but this machine needs TLS: tls_cert and tls_key, or "
                        "a proxy in front.",
        },
        {
                KEY("center", "url"),
                .kind = SETTING_TEXT,
                AT(center.url),
                .fallback = "",
                .example = "https://center.example.com",
                .max_len = 500,
                .reload = true,
                .help = "The center's address as a browser sees it, if a proxy is in front of it. "
                        "Requests by another host name, and changes that come from another "
                        "site's pages, are refused.",
        },
        {
                KEY("center", "user"),
                .kind = SETTING_TEXT,
                AT(center.user),
                .fallback = "dispatch-center",
                .max_len = 64,
                .reload = true,
                .help = "The system user that dispatch-center runs as. What the center's users "
                        "change in the spool is recorded by their names, which dispatchd believes "
                        "from this user alone.",
        },
        {
                KEY("center", "tls_cert"),
                .kind = SETTING_PATH,
                AT(center.tls_cert),
                .fallback = "",
                .example = "/etc/dispatchd/center-cert.pem",
                .reload = true,
                .help = "The certificate with its chain (PEM), for TLS without a proxy.",
        },
        {
                KEY("center", "tls_key"),
                .kind = SETTING_PATH,
                AT(center.tls_key),
                .fallback = "",
                .example = "/etc/dispatchd/center-key.pem",
                .reload = true,
                .help = "Its key (PEM).",
        },
        {
                KEY("center", "user_header"),
                .kind = SETTING_TEXT,
                AT(center.user_header),
                .fallback = "",
                .example = "X-Remote-User",
                .max_len = 64,
                .reload = true,
                .help = "The header in which a proxy names who has logged in there. Only with a "
                        "Unix socket in listen, and believed only from proxy_user.",
        },
        {
                KEY("center", "proxy_user"),
                .kind = SETTING_TEXT,
                AT(center.proxy_user),
                .fallback = "",
                .example = "www-data",
                .max_len = 64,
                .reload = true,
                .help = "The system user that the proxy runs as; needed with user_header.",
        },
        {
                KEY("center", "max_upload"),
                .kind = SETTING_SIZE,
                AT(center.max_upload),
                .fallback = "25MiB",
                .min = 1024,
                .max = (int64_t)2 * 1024 * 1024 * 1024,
                .reload = true,
                .help = "The largest document or picture that may be uploaded.",
        },
        JUMP(billing_url, "https://billing.example.com/?account={account}",
             "The address of the billing system's page for a customer: http or https, with any "
             "field of the customer in braces."),
        JUMP(dms_url, "https://dms.example.com/customers/{number}",
             "The address of the dealer management system's: http or https, with any field of "
             "the customer in braces."),
        JUMP(dispatch_url, "https://dispatch.example.com/new?customer={number}",
             "The address of the dispatch software's page for a new job: http or https, with any "
             "field of the customer in braces."),
        JUMP(map_url, "https://maps.example.com/?q={address},{city}",
             "The address of a map: http or https, with any field of the customer in braces."),
        {
                KEY("center", "tiles"),
                .kind = SETTING_TEXT,
                AT(center.tiles),
                .fallback = "",
                .example = "https://tiles.example.com/{z}/{x}/{y}.png",
                .max_len = 1000,
                .reload = true,
                .help = "The address of map tiles, http or https, with {z}, {x} and {y}: a site "
                        "without a plan then has a map, where libjs-leaflet is installed. "
                        "Browsers fetch the tiles themselves.",
        },
        {
                KEY("center", "tiles_note"),
                .kind = SETTING_TEXT,
                AT(center.tiles_note),
                .fallback = "",
                .example = "© OpenStreetMap contributors",
                .max_len = 300,
                .reload = true,
                .help = "Whose tiles these are: shown on the map.",
        },
        {
                KEY("center", "path"),
                .kind = SETTING_PATH,
                AT(center.path),
                .fallback = "/var/lib/dispatchd/center.db",
                .required = true,
                .reload = true,
                .help = "The database of accounts and sessions. Its folder must exist; the file "
                        "is made for its owner alone.",
        },
        {
                KEY("notify", "outside_hours"),
                .kind = SETTING_CHOICE,
                NOTIFY(outside_hours),
                .choices = "defer suppress send",
                .fallback = "defer",
                .reload = true,
                .help = "What happens to a mail outside the customer's service hours: defer keeps "
                        "it until the next opening, suppress drops it, send sends it anyway.",
        },
        {
                KEY("notify", "shelf_life"),
                .kind = SETTING_DURATION,
                NOTIFY(shelf_life_ms),
                .min = 1,
                .max = DURATION_MAX_MS,
                .fallback = "12h",
                .reload = true,
                .help = "How long after the event a mail about it is still useful.",
        },
        {
                KEY("notify", "group_wait"),
                .kind = SETTING_DURATION,
                NOTIFY(group_wait_ms),
                .max = DURATION_MAX_MS,
                .fallback = "0s",
                .reload = true,
                .help = "How long a mail waits for others of the same state to the same contact, "
                        "to be sent as one.",
        },
};
const size_t settings_table_len = sizeof settings_table / sizeof settings_table[0];

const struct setting_by_state settings_by_state[] = {
        {.key = "outside_hours", .states = JOB_BIT(JOB_FAILED), .value = "send"},
        {.key = "shelf_life",
         .states = JOB_BIT(JOB_COMPLETED) | JOB_BIT(JOB_FAILED),
         .value = "7d"},
};
const size_t settings_by_state_len = sizeof settings_by_state / sizeof settings_by_state[0];
