#!/bin/bash
# SPDX-License-Identifier: MIT
# `make demo`: a working day of a hauling company in half a minute, in build/demo and nowhere else. A private
# Redis on a socket, six customers, dispatchd writing its mails into a Maildir, the events of the day, and the pages
# of dispatch-center.
#
# --keep leaves everything running until Enter is pressed.
set -euo pipefail
cd "$(dirname "$0")/../.."
BUILD=$(realpath "${BUILD:-build}")
PYTHON=${PYTHON:-/usr/bin/python3}
keep=${KEEP:-}
[ "${1:-}" != --keep ] || keep=1

world=$BUILD/demo
# The path of a Unix socket has room for 107 bytes.
[ ${#world} -le 80 ] || world=$(mktemp -d /tmp/dispatchd-demo.XXXXXX)
rm -rf "$world"
mkdir -p "$world"
conf=$world/dispatchd.conf
pids=()

stop() {
	local status=$?
	trap - EXIT INT TERM
	# The daemon first: it says goodbye to Redis.
	for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
		kill "${pids[i]}" 2>/dev/null || true
		wait "${pids[i]}" 2>/dev/null || true
	done
	if [ "$status" != 0 ]; then
		echo "The demo failed; what the daemon said last:"
		tail -n 20 "$world/dispatchd.log" 2>/dev/null || true
	fi
	exit "$status"
}
trap stop EXIT
trap 'exit 130' INT TERM

ctl() {
	"$BUILD/dispatchctl" -c "$conf" "$@"
}
tell() {
	[ -t 1 ] && printf '\n\033[1m%s\033[0m\n' "$*" || printf '\n%s\n' "$*"
}
until_true() { # SECONDS COMMAND...
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || { echo "waited in vain for: $*" >&2; return 1; }
		sleep 0.05
	done
}

cat >"$conf" <<END
[redis]
url = unix://$world/redis.sock
[customers]
path = $world/customers.db
grace = 2s
[spool]
path = $world/spool.db
[mail]
transport = maildir
maildir = $world/mails
from = Example Hauling <dispatch@example.com>
templates = $PWD/conf/templates
[rules]
timezone = America/Denver
[office]
email = office@example.com
[http]
listen = unix:$world/http.sock
[center]
listen = 127.0.0.1:0
path = $world/center.db
[company]
phone = +1 555 0100
website = https://www.example.com/
END

tell "Starting a private Redis on $world/redis.sock"
redis-server --port 0 --unixsocket "$world/redis.sock" --dir "$world" --save '' --appendonly no \
	>"$world/redis.log" 2>&1 &
pids+=($!)
until_true 10 redis-cli -s "$world/redis.sock" ping

tell 'Six customers'
tomorrow=$(TZ=America/Denver LC_ALL=C date -d tomorrow +%a | tr '[:upper:]' '[:lower:]')
next_month=$(date -d '+30 days' +%F)
ctl customer add 1001 --name 'Maple Street Bakery' --contact 'Dana Hill' --email dana@bakery.example.com \
	--address '12 Maple Street' --city Denver --state CO --reference PO-2231
ctl contact add 1001 --name 'Site office' --email site@bakery.example.com --notify failed,paused
ctl customer add 1002 --name 'Müller & Söhne Bau' --contact 'Jörg Müller' --email joerg@mueller.example.com \
	--timezone Europe/Berlin --locale de --city Köln
ctl customer add 1003 --name 'Harbor View Apartments' --contact 'Front desk' --email desk@harbor.example.com \
	--timezone America/Denver
ctl hours set 1003 "$tomorrow" 08:00-12:00,13:00-17:00 >/dev/null
ctl customer add 1004 --name 'Red Barn Storage' --contact 'Pat Low' --email pat@redbarn.example.com
ctl suspend 1004 --until "$next_month" --note 'Account is being reviewed; ask the office before sending anyone'
ctl customer add 1005 --name 'Café Zoë' --contact 'Zoë Lang' --email zoe@cafe.example.com --city Boulder
ctl customer add 1006 --name 'Old Quarry' --email info@quarry.example.com --status inactive
{
	ctl note add 1001 --urgent --text 'The dog is loose after 6 pm: call before entering the yard'
	ctl comment add 1001 --text 'Wants the 30 yard container closer to the loading dock'
	ctl asset add 1001 --kind 'Roll-off 30 yd' --serial R-2231 --position 'loading dock'
	ctl asset add 1004 --kind 'Compactor' --serial C-77
} >/dev/null

tell 'Starting dispatchd (mails go into a Maildir, nothing leaves this machine)'
"$BUILD/dispatchd" -c "$conf" >"$world/dispatchd.log" 2>&1 &
pids+=($!)
reading() { # or ended already: then there is nothing to wait for
	kill -0 "${pids[1]}" || exit 1
	redis-cli -s "$world/redis.sock" XINFO GROUPS jobs:events | grep -q dispatchd
}
until_true 15 reading

tell 'The events of a day'
"$PYTHON" tests/demo/day.py publish "$world/redis.sock"
ctl event send dispatched --job J-2001 --customer 1005 driver=Sam service='Roll-off exchange' >/dev/null
ctl event send completed --job J-2001 --customer 1005 driver=Sam service='Roll-off exchange' >/dev/null

tell 'What became of them'
"$PYTHON" tests/demo/day.py outcomes "$world/redis.sock"

tell 'One of the mails, as its reader sees it'
"$PYTHON" tests/demo/day.py mail "$world/mails" J-1001

tell 'Starting dispatch-center, the pages of the office'
password=$("$PYTHON" -c 'import secrets; print(secrets.token_urlsafe(9))')
"$BUILD/dispatch-center" -c "$conf" user add demo --role admin --password-file - <<<"$password"
"$BUILD/dispatch-center" -c "$conf" 2>"$world/center.log" &
pids+=($!)
serving() {
	kill -0 "${pids[2]}" || exit 1
	grep -q 'listening on' "$world/center.log"
}
until_true 15 serving
center=http://$(sed -n 's/.*listening on //p' "$world/center.log")
"$PYTHON" tests/demo/day.py pages "$center" demo "$password"

here=${BUILD#"$PWD"/}
wconf=${conf#"$PWD"/}
if [ -n "$keep" ]; then
	tell "All of it runs on: $center (user demo, password $password), events on $world/redis.sock. Enter ends it."
	read -r _ || true
fi
tell 'What to try next'
try() {
	printf '  %-66s %s\n' "$@"
}
try "$here/dispatchctl -c $wconf job show J-1001" 'why each mail went, or did not'
try "$here/dispatchctl -c $wconf mail list" 'the mails in the spool'
try "$here/dispatchctl -c $wconf suspensions" 'who is suspended, and why'
try "ls ${world#"$PWD"/}/mails/new" 'every mail, for any mail program'
try 'KEEP=1 make demo' 'leaves all of it running, the pages too'
try 'man ./conf/man/dispatchd.conf.5' 'every key of the configuration'
