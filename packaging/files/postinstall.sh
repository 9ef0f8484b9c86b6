#!/bin/sh
set -e
if ! getent group rollcall >/dev/null; then
	groupadd --system rollcall
fi
if ! getent passwd rollcall >/dev/null; then
	useradd --system --gid rollcall --home-dir /var/lib/rollcall --no-create-home --shell /usr/sbin/nologin \
		--comment "Rollcall service" rollcall
fi
install -d -o rollcall -g rollcall -m 0700 /var/lib/rollcall
chown root:rollcall /etc/rollcall /etc/rollcall/tls /etc/rollcall/rollcall.env
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	# An upgrade restarts a service that runs. Installing starts none.
	systemctl try-restart rollcall.service
fi
