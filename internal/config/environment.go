package config

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// environmentPrefix begins the name of every variable that is a setting.
const environmentPrefix = "MAGPIE_"

// Kubernetes, and Docker's links, put the addresses of a service named "magpie" into the environment of every container
// beside it. The shorter of the two forms looks like a setting, so its value has to be an address.
var (
	serviceName  = regexp.MustCompile(`^MAGPIE_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$`)
	servicePort  = regexp.MustCompile(`^MAGPIE_(\w+_)?PORT$`)
	serviceValue = regexp.MustCompile(`^(tcp|udp|sctp)://`)
)

// CheckEnvironment refuses variables that look like settings and are none, as the file refuses such lines: a setting
// that is silently ignored is worse than a node that does not start. environment is a list of "name=value", as of
// os.Environ. No error repeats a value.
func CheckEnvironment(environment []string) error {
	var known []string
	for _, flag := range flags(&Config{}) {
		known = append(known, flag.Tag.Envs...)
	}
	var errs []error
	for _, variable := range environment {
		name, value, _ := strings.Cut(variable, "=")
		if !strings.HasPrefix(name, environmentPrefix) || slices.Contains(known, name) || isService(name, value) {
			continue
		}
		errs = append(errs, fmt.Errorf("there is no setting for the environment's variable %s; the nearest is %s: correct its name or unset it",
			name, nearest(name, known)))
	}
	return errors.Join(errs...)
}

func isService(name, value string) bool {
	return serviceName.MatchString(name) || servicePort.MatchString(name) && serviceValue.MatchString(value)
}

// nearest finds the known name that takes the fewest changes to reach.
func nearest(name string, known []string) string {
	best, least := "", 0
	for _, other := range known {
		if d := distance(name, other); best == "" || d < least {
			best, least = other, d
		}
	}
	return best
}

// maxCompared bounds the work for one name of the environment.
const maxCompared = 64

// distance counts the letters to insert, remove and change on the way from a to b.
func distance(a, b string) int {
	a = a[:min(len(a), maxCompared)]
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
