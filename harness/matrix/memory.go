package matrix

import (
	"fmt"
	"os"
	"strings"
)

// memoryShare is the part of the free memory that guests may have together: what counts as
// free is also the cache of the files that they boot from.
const memoryShare = 0.5

// FreeMemory returns how many MiB guests may use together on this machine, 0 for no bound
// where the machine does not say.
func FreeMemory() int {
	b, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		var kib int
		if n, _ := fmt.Sscanf(line, "MemAvailable: %d kB", &kib); n == 1 {
			// Never 0, which would mean that there is no bound.
			return max(1, int(float64(kib/1024)*memoryShare))
		}
	}
	return 0
}
