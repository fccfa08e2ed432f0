// SPDX-License-Identifier: GPL-2.0-only
/* docs/dbus.md section 3. */
#include "dbus.h"

TEST(thin)
{
	struct bus bus = open_bus("@bus");
	struct client a = join(&bus), b = join(&bus);

	OK(signal_all(a.fd, &a_signal));
	GETS_NOTHING(b.fd);
	OK(add_rule("@bus", b.id, "type='signal'"));
	OK(signal_all(a.fd, &a_signal));
	EQ(1, drain(b.fd));
}
