// Command init is the init of an initramfs that starts the program under test as a machine's own
// init would start any other, and switches the machine off.
package main

import (
	"fmt"
	"os"
	"os/exec"

	"golang.org/x/sys/unix"
)

func main() {
	for _, m := range []string{"proc", "dev"} {
		os.Mkdir("/"+m, 0o755)
	}
	for _, err := range []error{
		unix.Mount("proc", "/proc", "proc", 0, ""),
		unix.Mount("devtmpfs", "/dev", "devtmpfs", 0, ""),
	} {
		if err != nil {
			fmt.Println("init:", err)
		}
	}
	cmd := exec.Command("/pivotspec-guest")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	fmt.Println("init: it ended with", cmd.Run())
	unix.IoctlSetInt(1, unix.TCSBRK, 1)
	unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
}
