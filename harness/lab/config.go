package lab

import (
	"fmt"
	"slices"
	"strings"

	"pivotspec/harness/arch"
	"pivotspec/kernels"
)

// guestNeeds returns the options of the kernel without which no guest can say anything: the suite
// is an initramfs; its init is an ELF file that the Go toolchain made, mounts proc and devtmpfs,
// and writes to the console, where the kernel has to say that it powers off.
func guestNeeds() []string {
	return []string{
		"CONFIG_BLK_DEV_INITRD", "CONFIG_BINFMT_ELF", "CONFIG_FUTEX", "CONFIG_EPOLL", "CONFIG_EVENTFD",
		"CONFIG_PROC_FS", "CONFIG_DEVTMPFS", "CONFIG_TTY", "CONFIG_PRINTK",
	}
}

// bootable says that k cannot run the guest, where its configuration tells: of such a kernel there
// would be a console on which nothing is said, or not what is wrong.
func bootable(k kernels.Kernel, a *arch.Arch, abi arch.ABI) error {
	config, err := k.ReadConfig()
	if err != nil || config == nil {
		return err
	}
	var missing []string
	for _, option := range slices.Concat(guestNeeds(), a.Config, abi.Config) {
		if !config.BuiltIn(option) {
			missing = append(missing, option)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("the kernel was configured without %s, which the suite cannot run without, as %s says: build it with them set to y",
		strings.Join(missing, ", "), k.Config)
}

// lacks says that a kernel was configured without an option. Nothing is known of one that came
// without its configuration.
func lacks(k kernels.Kernel, option string) error {
	config, err := k.ReadConfig()
	if err != nil || config == nil || config.BuiltIn(option) {
		return err
	}
	return fmt.Errorf("the kernel was configured without %s", option)
}
