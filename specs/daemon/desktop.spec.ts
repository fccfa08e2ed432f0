// SPDX-License-Identifier: MIT
// A session bus for real: services of Debian on GLib, which the bus starts from their own files, and their own clients.
// What they print is the same on dbus-daemon and on this project's bus.
import { describe, it } from 'mocha';
import { sameSession } from './session.ts';

/** Services inherit the environment of the bus until it is told another: settings of this machine's user stay as they are. */
const HOME = `
  export HOME=$(mktemp -d)
  export XDG_RUNTIME_DIR=$HOME XDG_CONFIG_HOME=$HOME/config XDG_CACHE_HOME=$HOME/cache GSETTINGS_BACKEND=dconf
  dbus-update-activation-environment HOME XDG_RUNTIME_DIR XDG_CONFIG_HOME XDG_CACHE_HOME`;

const KEY = 'org.gnome.desktop.interface clock-format';
const BUS = '--session --dest org.freedesktop.DBus --object-path /org/freedesktop/DBus';
const owned = (name: string): string =>
  `gdbus call ${BUS} --method org.freedesktop.DBus.NameHasOwner ${name}`;

const SESSIONS: Readonly<Record<string, string>> = {
  'dconf: gsettings reads what it has written': `
    gsettings get ${KEY}
    ${owned('ca.desrt.dconf')}
    gsettings set ${KEY} "'12h'"
    gsettings get ${KEY}
    ${owned('ca.desrt.dconf')}
    gsettings reset ${KEY}
    gsettings get ${KEY}`,
  'xfconf: a property is made, read, listed and removed': `
    xfconf-query -c mine -p /a/number -n -t int -s 7
    xfconf-query -c mine -p /a/text -n -t string -s 'two words'
    xfconf-query -c mine -p /a/number
    xfconf-query -c mine -l -v
    xfconf-query -c mine -p /a -r -R
    xfconf-query -c mine -l
    gdbus introspect --session --dest org.xfce.Xfconf --object-path /org/xfce/Xfconf`,
  "at-spi: the bus of accessibility is found through the session's": `
    gdbus call --session --dest org.a11y.Bus --object-path /org/a11y/bus --method org.a11y.Bus.GetAddress |
      sed 's/guid=[0-9a-f]*/guid=G/; s,path=[^,]*,path=P,'
    gdbus call --session --dest org.a11y.Bus --object-path /org/a11y/bus \\
      --method org.freedesktop.DBus.Properties.Get org.a11y.Status IsEnabled`,
};

describe('a desktop session', function () {
  this.timeout(300_000);

  for (const [title, script] of Object.entries(SESSIONS))
    it(title, () => sameSession(`${HOME}\n${script}`, '<servicedir>/usr/share/dbus-1/services</servicedir>'));
});
