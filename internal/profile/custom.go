package profile

import (
	"errors"
	"slices"
	"strings"

	"github.com/magpie-im/magpie/internal/command"
	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/setting"
)

var customFields = setting.List(setting.Spec[[]string]{
	Name: "profile.custom_fields", High: maxCustomFields, Check: checkCustom,
	Doc: "fields of its own that the application has for profiles, each KEY, KEY:TYPE, or KEY:TYPE:READ:WRITE: TYPE is text or number, " +
		"READ and WRITE are app, or admin for back ends alone; without any, clients may use every key",
})

// The words of a declared field.
const (
	typeText   = "text"
	typeNumber = "number"
	byApp      = "app"
	byAdmin    = "admin"
)

// custom is a field of the application's own: what it holds, and who may do what with it.
type custom struct {
	number, any             bool // any: text and numbers as they come
	adminReads, adminWrites bool // administrators only
}

// readCustomField reads a word of the setting.
func readCustomField(word string) (key string, c custom, ok bool) {
	parts := strings.Split(word, ":")
	if !ValidKey(parts[0]) || len(parts) > 4 || len(parts) == 3 {
		return "", c, false
	}
	if len(parts) > 1 {
		c.number = parts[1] == typeNumber
		ok = c.number || parts[1] == typeText
	} else {
		c.any, ok = true, true
	}
	if len(parts) > 2 {
		c.adminReads, c.adminWrites = parts[2] == byAdmin, parts[3] == byAdmin
		ok = ok && slices.Contains([]string{byApp, byAdmin}, parts[2]) && slices.Contains([]string{byApp, byAdmin}, parts[3])
	}
	return parts[0], c, ok
}

func checkCustom(words []string) error {
	seen := map[string]bool{}
	for _, word := range words {
		key, _, ok := readCustomField(word)
		if !ok || seen[key] {
			return errors.New("want KEY, KEY:TYPE or KEY:TYPE:READ:WRITE, with keys of 1 to 8 letters, each once")
		}
		seen[key] = true
	}
	return nil
}

// customOf tells what the application says of a field of its own. Where it has declared none, every key may be used.
func customOf(app *im.App, tag string) (custom, bool) {
	declared := customFields.Of(app)
	key := strings.TrimPrefix(tag, TagCustom)
	if len(declared) == 0 {
		return custom{any: true}, ValidKey(key)
	}
	for _, word := range declared {
		if name, c, _ := readCustomField(word); name == key {
			return c, true
		}
	}
	return custom{}, false
}

// isCustom reports whether a tag names a field of the application's own.
func isCustom(tag string) bool { return strings.HasPrefix(tag, TagCustom) }

// readable reports whether the caller may read a field. Undeclared fields that were stored once are nobody's.
func readable(call *command.Call, tag string) bool {
	if !isCustom(tag) {
		return true
	}
	c, declared := customOf(call.App, tag)
	return declared && (call.Admin() || !c.adminReads)
}

// checkField refuses a field that does not exist, or that the caller may not write.
func checkField(call *command.Call, item ProfileItem) error {
	if _, ok := fieldFor(item.Tag); !ok {
		return im.Errorf(im.CodeProfileTag, "no profile field %.60q", item.Tag)
	}
	if item.Tag == TagAdminForbid && !call.Admin() {
		return im.Errorf(im.CodeProfileForbidden, "%s is for administrators", item.Tag)
	}
	if !isCustom(item.Tag) {
		return nil
	}
	c, declared := customOf(call.App, item.Tag)
	switch number := item.Value.Kind() == '0'; {
	case !declared:
		return im.Errorf(im.CodeProfileTag, "the application has declared no field %.60q", item.Tag)
	case c.adminWrites && !call.Admin():
		return im.Errorf(im.CodeProfileForbidden, "%s is for administrators", item.Tag)
	case !c.any && c.number != number:
		return im.Errorf(im.CodeProfileType, "%s wants %s", item.Tag, map[bool]string{true: "a number", false: "text"}[c.number])
	}
	return nil
}

// Settings lists what an operator may choose in this room.
func (p *Profiles) Settings() []setting.Declaration { return []setting.Declaration{customFields} }
