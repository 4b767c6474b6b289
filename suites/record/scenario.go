package record

// Plain is the name of the scenario of whatever names none: the kernel's initramfs as it comes. Guests
// and hosts agree on it.
const Plain = "plain"
