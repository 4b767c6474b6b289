// Command poweroff is an init that only powers off: the least that a boot can do, and so
// the measure of what a cell costs beyond its boot.
package main

import "syscall"

func main() {
	// There is nothing to sync: the root is an initramfs. An init that returns makes the
	// kernel panic, which tells as much as a message would.
	_ = syscall.Reboot(syscall.LINUX_REBOOT_CMD_POWER_OFF)
}
