#!/bin/bash
# SPDX-License-Identifier: MIT
# Called by `make install`: puts everything of installed.txt below $DESTDIR, or with $PACKAGE only what belongs to that
# package. Files that an admin may have changed are left alone; if the new version differs, it is put beside them as
# FILE.new.
set -euo pipefail
umask 022
: "${PREFIX:=/usr/local}" "${SYSCONFDIR:=/etc}" "${MANDIR:=$PREFIX/share/man}" "${DESTDIR:=}" "${BUILD:=build}" "${PACKAGE:=}"
: "${UNITDIR:=$PREFIX/lib/systemd/system}"
# shellcheck disable=SC2034 # used by their names
SBINDIR=$PREFIX/sbin BINDIR=$PREFIX/bin DATADIR=$PREFIX/share DOCDIR=$PREFIX/share/doc LIBDIR=$PREFIX/lib
CONFDIR=$SYSCONFDIR/dispatchd

program() { install -D -m 755 "$BUILD/$1" "$DESTDIR$2"; }
file() { install -D -m 644 "$1" "$DESTDIR$2"; }
folder() { install -d "$DESTDIR$2"; }
page() {
	local page
	if [ "$1" != others ]; then
		file "conf/man/$1" "$MANDIR/man${1##*.}/$1"
	else
		for page in conf/man/*.[1-8]; do
			grep -qE " page +${page##*/}\$" systemd/installed.txt || page "${page##*/}"
		done
	fi
}
placed() {
	local conf=
	# A unit that is of no instance reads the default configuration, where none is named.
	[ "$CONFDIR" = /etc/dispatchd ] || conf=" -c /etc/dispatchd/dispatchd.conf"
	install -d "$DESTDIR$(dirname "$2")"
	sed -E -e "s#^(ExecStart=/usr/sbin/(dispatchd|dispatch-center)|ExecReload=/usr/bin/dispatchctl reload)\$#&$conf#" \
		-e "s#/usr/sbin/(dispatchd|dispatch-center|dispatch-bounce)#$SBINDIR/\\1#" -e "s#/usr/bin/dispatchctl#$BINDIR/dispatchctl#" \
		-e "s#/etc/dispatchd#$CONFDIR#" "$1" >"$DESTDIR$2"
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

# What is a folder in the list is done file by file.
each() {
	local how=$1 what=$2 to=$3 name
	if [[ $what == */ ]]; then
		find "$what" -type f -printf '%P\n' | LC_ALL=C sort | while read -r name; do
			"$how" "$what$name" "$to$name"
		done
	elif [[ $to == */ && $how != folder ]]; then
		"$how" "$what" "$to${what##*/}"
	else
		"$how" "$what" "$to"
	fi
}

names='DATADIR|SBINDIR|BINDIR|UNITDIR|LIBDIR|DOCDIR|CONFDIR'
while read -r package how what to; do
	[[ -n $package && $package != '#'* ]] || continue
	[ -z "$PACKAGE" ] || [ "$package" = "$PACKAGE" ] || continue
	if [[ $to =~ ^\$($names)(.*)$ ]]; then
		place=${BASH_REMATCH[1]}
		to=${!place}${BASH_REMATCH[2]}
	fi
	each "$how" "$what" "$to"
done <systemd/installed.txt
