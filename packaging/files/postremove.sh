#!/bin/sh
set -e
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
fi
case "$1" in
remove | 0)
	echo "rollcall: the data, with the master key, is still in /var/lib/rollcall"
	;;
purge)
	# Nobody can read a backup without the master key, so not even purging
	# removes it.
	echo "rollcall: purging keeps the data, with the master key, in /var/lib/rollcall." >&2
	echo "rollcall: to destroy it, run: rm -r /var/lib/rollcall && userdel rollcall" >&2
	;;
esac
