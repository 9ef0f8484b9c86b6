#!/bin/sh
set -e
# dpkg says "remove", rpm says how many versions remain.
case "$1" in
remove | 0)
	if [ -d /run/systemd/system ]; then
		systemctl disable --now rollcall-backup.timer rollcall.service
	fi
	;;
esac
