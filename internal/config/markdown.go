package config

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

//go:generate go test . -run ^TestMarkdownIsCurrent$ -update

// heading is what stands above the table in docs/config.md.
const heading = `# Configuration

<!-- Made from internal/config by "make generate"; change the tags there. -->

These are the settings of a node, ` + "`magpie serve`" + `. Each has a flag, a variable of the environment, and a line in the file that
` + "`--config`" + ` names. A flag wins over the environment, the environment over the file, the file over the default. What differs
between applications is set for each application, not here.

The file has one setting a line, named like the flag without its dashes; a line that starts with ` + "`#`" + ` is a comment, and values
are not quoted:

` + "```" + `
listen = :8080
data   = /var/lib/magpie
app    = 1400000001:secret-key-of-the-application
` + "```" + `

Times are written like ` + "`90s`, `2m` or `1h30m`" + `, sizes in bytes. A setting that may be repeated takes one value a line in the file,
and values separated by commas in the environment; the place that wins gives the whole list. A name that does not exist, or a
value out of range, keeps the node from starting and says what it wants instead; so does a variable of the environment that
begins with ` + "`MAGPIE_`" + ` and is not in this table, unless it is one that Kubernetes makes for a service named magpie.

| flag | environment | default | meaning |
| --- | --- | --- | --- |
`

// Markdown returns the text of docs/config.md.
func Markdown() string {
	var b strings.Builder
	b.WriteString(heading)
	for _, flag := range flags(&Config{}) {
		fmt.Fprintf(&b, "| `--%s` | `%s` | %s | %s |\n",
			flag.Name, strings.Join(flag.Tag.Envs, "`, `"), defaultCell(flag), strings.ReplaceAll(flag.Help, "|", `\|`))
	}
	return b.String()
}

func defaultCell(flag *kong.Flag) string {
	if !flag.HasDefault {
		return ""
	}
	return "`" + flag.Default + "`"
}
