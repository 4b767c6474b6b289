package sandbox

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Without runs step while the thread's effective capabilities lack the given ones
// (unix.CAP_*), and puts them back: they stay permitted throughout. name is for the reader.
func (w *World) Without(name string, caps []int, step func()) {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var full [2]unix.CapUserData
	w.quiet("capget", unix.Capget(&header, &full[0]))
	less := full
	for _, c := range caps {
		less[c/32].Effective &^= 1 << (c % 32)
	}
	w.must("drop "+name, unix.Capset(&header, &less[0]))
	step()
	w.must("regain "+name, unix.Capset(&header, &full[0]))
}

// AsUser runs step with the filesystem user and group IDs of an ordinary user and without
// the capabilities that override permission bits, and becomes root again.
func (w *World) AsUser(uid int, step func()) {
	w.RequireUser(uid)
	// The overrides are dropped by hand as well: whether setfsuid drops them depends on securebits.
	w.Without("CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH", []int{unix.CAP_DAC_OVERRIDE, unix.CAP_DAC_READ_SEARCH}, func() {
		w.setfs(uid)
		step()
		w.setfs(0)
	})
}

func (w *World) setfs(id int) {
	// setfsuid(2) and setfsgid(2) return the previous ID and no error; a second call tells.
	_, _ = unix.SetfsgidRetGid(id)
	_, _ = unix.SetfsuidRetUid(id)
	uid, err := unix.SetfsuidRetUid(id)
	if errors.Is(err, unix.ENOSYS) {
		w.setEffective(id)
		return
	}
	if err != nil || uid != id {
		w.Broken("set-up: setfsuid(%d) left the filesystem user ID at %d (%v)", id, uid, err)
	}
	// Without it a reader who is root and owns the directories would meet no EACCES.
	w.note(fmt.Sprintf("setfsgid(%d), setfsuid(%d)", id, id))
}
