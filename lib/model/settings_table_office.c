/* SPDX-License-Identifier: MIT */
/*
 * Keys of the configuration about people and what they see: the office, the gate, HTTP, the center,
 * when customers are notified. What is here is promised to scripts (a change of a name or a default
 * is a breaking change); the sample file and dispatchd.conf(5) are made from it by `make`. Only
 * model/settings_table.c uses it.
 */
#include "base/units.h"
#include "model/settings_table.h"

#define KEY(s, k)      .section = (s), .key = (k), .name = s "." k
#define AT(member)     .offset = offsetof(struct settings, member)
#define NOTIFY(member) .offset = offsetof(struct notify_settings, member)
/* A page of other software, where the center's pages lead to. */
#define JUMP(member, like, what)                                                                   \
	{                                                                                          \
		KEY("center", #member), .kind = SETTING_TEXT, AT(center.member), .fallback = "",   \
		                        .example = like, .max_len = 1000, .reload = true,          \
		                        .help = what                                               \
	}

static const struct setting rows[] = {
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
                KEY("log", "level"),
                .kind = SETTING_CHOICE,
                AT(log.level),
                .choices = "debug info notice warning error",
                .fallback = "info",
                .reload = true,
                .help = "The lowest level that is logged. At debug, each change of a mail's status "
                        "is. $DISPATCHD_LOG, where it is set, wins.",
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
                KEY("bounce", "group"),
                .kind = SETTING_TEXT,
                AT(bounce.group),
                .fallback = "",
                .example = "dispatch-bounce",
                .max_len = 64,
                .help = "The group that may hand in reports, at the socket report.sock beside "
                        "spool.db (mode 0660); dispatchd's user must be a member of it. Empty: "
                        "the daemon's own group.",
        },
        {
                KEY("bounce", "address"),
                .kind = SETTING_ADDRESS,
                AT(bounce.address),
                .fallback = "",
                .example = "bounce@mail.example.com",
                .reload = true,
                .help = "Where reports about mails come to. The envelope sender of each mail to "
                        "a contact is this address with delimiter and a signed token of 31 "
                        "characters behind the local part, and it has an address for opt-out and "
                        "one for replies. Empty: mails bear [mail] envelope_from, and no reports "
                        "are taken.",
        },
        {
                KEY("bounce", "delimiter"),
                .kind = SETTING_TEXT,
                AT(bounce.delimiter),
                .fallback = "+",
                .required = true,
                .reload = true,
                .help = "What the mail server in front knows as the delimiter of an address and "
                        "its extension: one of +-=_. and no other.",
        },
        {
                KEY("bounce", "key_file"),
                .kind = SETTING_PATH,
                AT(bounce.key_file),
                .fallback = "",
                .example = "/etc/dispatchd/bounce.keys",
                .reload = true,
                .help = "A file with a key a line, each 64 hex digits as openssl rand -hex 32 "
                        "makes them; when empty, the systemd credential bounce-key. The first "
                        "signs, all verify: put a new one in front, and remove the old one when "
                        "no mail that bears its signature matters any more. Needed with address.",
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
                KEY("cluster", "name"),
                .kind = SETTING_NAME,
                AT(cluster.name),
                .fallback = "",
                .example = "dispatch",
                .max_len = 64,
                .help = "The same on all machines of the cluster; Redis' keys NAME:lease, "
                        "NAME:epoch and NAME:journal begin with it. A member's name is [redis] "
                        "consumer, which must differ. Empty: one machine, without a standby.",
        },
        {
                KEY("cluster", "lease"),
                .kind = SETTING_DURATION,
                AT(cluster.lease_ms),
                .min = INT64_C(6) * 1000,
                .max = INT64_C(60) * 1000,
                .fallback = "10s",
                .help = "How long the owner may work without having reached Redis. A standby takes "
                        "over when it is over. The same on all members.",
        },
        {
                KEY("cluster", "wait"),
                .kind = SETTING_TEXT,
                AT(cluster.wait),
                .fallback = "",
                .example = "1",
                .max_len = 1,
                .help = "How many replicas of Redis must have a turn before its effects go out. "
                        "Empty: 1 where Redis has a replica when the lease is taken, else 0.",
        },
        {
                KEY("cluster", "key_file"),
                .kind = SETTING_PATH,
                AT(cluster.key_file),
                .fallback = "",
                .example = "/etc/dispatchd/cluster.key",
                .help = "A file with the key that seals the journal, 64 hex digits as openssl rand "
                        "-hex 32 makes them, the same on all members; when empty, the systemd "
                        "credential cluster-key. Needed with name.",
        },
        {
                KEY("cluster", "journal_max"),
                .kind = SETTING_SIZE,
                AT(cluster.journal_max),
                .min = INT64_C(16) * 1024 * 1024,
                .max = INT64_C(1) << 40,
                .fallback = "1GiB",
                .reload = true,
                .help = "How large the journal may become for a standby that doesn't follow. "
                        "Beyond that the standby has to be seeded again.",
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
const struct setting_rows settings_rows_office = {rows, sizeof rows / sizeof rows[0]};

const struct setting_by_state settings_by_state[] = {
        {.key = "outside_hours", .states = JOB_BIT(JOB_FAILED), .value = "send"},
        {.key = "shelf_life",
         .states = JOB_BIT(JOB_COMPLETED) | JOB_BIT(JOB_FAILED),
         .value = "7d"},
};
const size_t settings_by_state_len = sizeof settings_by_state / sizeof settings_by_state[0];
