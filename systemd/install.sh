#!/bin/bash
# SPDX-License-Identifier: MIT
# Called by `make install`: puts everything below $DESTDIR. Files that an admin may have changed are left alone;
# if the new version differs, it is put beside them as FILE.new.
set -euo pipefail
umask 022
: "${PREFIX:=/usr/local}" "${SYSCONFDIR:=/etc}" "${MANDIR:=$PREFIX/share/man}" "${DESTDIR:=}" "${BUILD:=build}"
conf=$SYSCONFDIR/dispatchd

program() { install -D -m 755 "$1" "$DESTDIR$2"; }
file() { install -D -m 644 "$1" "$DESTDIR$2"; }
# Unit files contain the chosen paths.
placed() {
	install -d "$DESTDIR$(dirname "$2")"
	sed -E -e "s#/usr/sbin/(dispatchd|dispatch-center|dispatch-bounce)#$PREFIX/sbin/\\1#" -e "s#/usr/bin/dispatchctl#$PREFIX/bin/dispatchctl#" \
		-e "s#/etc/dispatchd#$conf#" "$1" >"$DESTDIR$2"
	chmod 644 "$DESTDIR$2"
}
kept() {
	local to=$DESTDIR$2
	rm -f "$to.new"
	if [ ! -e "$to" ]; then
		file "$1" "$2"
	elif ! cmp -s "$1" "$to"; then
		file "$1" "$2.new"
	fi
}

program "$BUILD/dispatchd" "$PREFIX/sbin/dispatchd"
program "$BUILD/dispatch-center" "$PREFIX/sbin/dispatch-center"
program "$BUILD/dispatch-bounce" "$PREFIX/sbin/dispatch-bounce"
program "$BUILD/dispatchctl" "$PREFIX/bin/dispatchctl"
for page in conf/man/*.[1-8]; do
	file "$page" "$MANDIR/man${page##*.}/${page##*/}"
done
kept conf/dispatchd.conf "$conf/dispatchd.conf"
install -d "$DESTDIR$conf/conf.d" "$DESTDIR$conf/templates"
if [ -d conf/templates ]; then
	find conf/templates -type f -printf '%P\n' | while read -r template; do
		file "conf/templates/$template" "$PREFIX/share/dispatchd/templates/$template"
		kept "conf/templates/$template" "$conf/templates/$template"
	done
fi
for unit in dispatchd dispatch-center; do
	placed systemd/$unit.service "$PREFIX/lib/systemd/system/$unit.service"
	[ "$conf" = /etc/dispatchd ] ||
		sed -i -E "s#^(ExecStart|ExecReload)=.*#& -c $conf/dispatchd.conf#" "$DESTDIR$PREFIX/lib/systemd/system/$unit.service"
done
for unit in dispatch-bounce.socket dispatch-bounce@.service dispatch-bounce-maildir.path dispatch-bounce-maildir.service; do
	placed systemd/$unit "$PREFIX/lib/systemd/system/$unit"
done
placed systemd/dispatchd.sysusers "$PREFIX/lib/sysusers.d/dispatchd.conf"
placed systemd/dispatchd.tmpfiles "$PREFIX/lib/tmpfiles.d/dispatchd.conf"
[ ! -e conf/completion/dispatchctl.bash ] ||
	file conf/completion/dispatchctl.bash "$PREFIX/share/bash-completion/completions/dispatchctl"
