package node

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// A process is named by the machine's boot, the namespace in which process numbers count, the number, and the moment of
// its start. Where there is no /proc a process has no name, and no node can know that it has ended.

// ownProcess names this process, or "".
func ownProcess() string {
	namespace := processNamespace()
	started := processStart(os.Getpid())
	if namespace == "" || started == "" {
		return ""
	}
	return fmt.Sprintf("%s %d %s", namespace, os.Getpid(), started)
}

// goneProcess reports whether a process has surely ended: it was where this one is, and its number is unused or another's.
func goneProcess(name string) bool {
	fields := strings.Fields(name)
	if len(fields) != 4 {
		return false
	}
	number, err := strconv.Atoi(fields[2])
	return err == nil && number > 0 && fields[0]+" "+fields[1] == processNamespace() && processStart(number) != fields[3]
}

// processNamespace is where process numbers are comparable with this process's, as two words, or "".
func processNamespace() string {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	namespace, err := os.Readlink("/proc/self/ns/pid")
	if err != nil || len(strings.Fields(string(boot))) != 1 || len(strings.Fields(namespace)) != 1 {
		return ""
	}
	return strings.TrimSpace(string(boot)) + " " + namespace
}

// processStart is when a process started, in the kernel's count, or "" if there is none, or one that has ended and of
// which only its number is left.
func processStart(number int) string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", number))
	if err != nil {
		return ""
	}
	// The name, in brackets, may hold anything; the state is the first field behind it and the start the twentieth.
	const start = 19
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) <= start || fields[0] == "Z" || fields[0] == "X" {
		return ""
	}
	return fields[start]
}
