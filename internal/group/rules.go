package group

import (
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Rules is the table of what each type of group allows. One value serves a whole node.
type Rules struct {
	byName map[string]*Rule
	all    []*Rule
	types  []string // names on the wire, in the order of the columns
}

// Rule is one row of the table.
type Rule struct {
	Name string
	// Values are the cells of the types, in the order of Rules.Types.
	Values []string
	// Code is the code of the refusal, "REST / client"; Setting changes the rule; Standing is documented, doubtful or own.
	Code, Setting, Standing string
}

// Type is a type of group: a column of the table of rules. The zero Type allows nothing.
type Type struct {
	rules  *Rules
	column int
	name   string
}

//go:embed rules.tsv
var table string

const (
	columnsBefore = 1 // the name
	columnsAfter  = 3 // code, setting, standing
)

// LoadRules reads the table that this program carries.
func LoadRules() (*Rules, error) { return parseRules(table) }

func parseRules(text string) (*Rules, error) {
	r := &Rules{byName: map[string]*Rule{}}
	for number, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		if err := r.add(strings.Split(line, "\t")); err != nil {
			return nil, fmt.Errorf("group rules, line %d: %w", number+1, err)
		}
	}
	return r, nil
}

func (r *Rules) add(cells []string) error {
	if r.types == nil {
		if len(cells) <= columnsBefore+columnsAfter {
			return fmt.Errorf("%d columns: no types", len(cells))
		}
		r.types = cells[columnsBefore : len(cells)-columnsAfter]
		return nil
	}
	if want := columnsBefore + len(r.types) + columnsAfter; len(cells) != want {
		return fmt.Errorf("%d columns: want %d", len(cells), want)
	}
	if slices.Contains(cells, "") {
		return fmt.Errorf("a cell of %s is empty", cells[0])
	}
	if r.byName[cells[0]] != nil {
		return fmt.Errorf("%s is there twice", cells[0])
	}
	rest := cells[columnsBefore+len(r.types):]
	one := &Rule{Name: cells[0], Values: cells[columnsBefore : columnsBefore+len(r.types)], Code: rest[0], Setting: rest[1], Standing: rest[2]}
	r.byName[one.Name] = one
	r.all = append(r.all, one)
	return nil
}

// All lists the rules in the order of the table.
func (r *Rules) All() []*Rule { return r.all }

// Types lists the types in the order of the columns.
func (r *Rules) Types() []Type {
	all := make([]Type, len(r.types))
	for i, name := range r.types {
		all[i] = Type{r, i, name}
	}
	return all
}

// named lists the names of the types for which a rule says yes.
func (r *Rules) named(rule string) []string {
	var names []string
	for _, t := range r.Types() {
		if t.Yes(rule) {
			names = append(names, t.name)
		}
	}
	return names
}

// Type finds a type by its name on the wire.
func (r *Rules) Type(name string) (Type, bool) {
	i := slices.Index(r.types, name)
	if i < 0 {
		return Type{}, false
	}
	return Type{r, i, name}, true
}

// String is the type's name on the wire.
func (t Type) String() string { return t.name }

// Rule is the cell of a rule for this type; "" of a rule that there is not.
func (t Type) Rule(name string) string {
	if t.rules == nil {
		return ""
	}
	if one := t.rules.byName[name]; one != nil {
		return one.Values[t.column]
	}
	return ""
}

// Yes reports whether the rule's cell says yes.
func (t Type) Yes(name string) bool { return t.Rule(name) == "yes" }

// Number is the cell of a rule that holds a number; 0 if it does not.
func (t Type) Number(name string) int64 {
	n, _ := strconv.ParseInt(t.Rule(name), 10, 64)
	return n
}

// OneOf reports whether the value is among those of a cell such as "FreeAccess|NeedPermission".
func (t Type) OneOf(name, value string) bool {
	return slices.Contains(strings.Split(t.Rule(name), "|"), value)
}

// Who is somebody as the table of rules names him.
type Who string

// Who may do something. AppAdmin is an application's administrator at the REST door, or logged in at the client door.
const (
	WhoAppAdmin Who = "appadmin"
	WhoOwner    Who = "owner"
	WhoAdmin    Who = "admin"
	WhoMember   Who = "member"
	WhoAnyone   Who = "anyone"
	WhoSelf     Who = "self"
	// WhoInside is an account that is in the live room now.
	WhoInside Who = "inside"
)

// Who is the role in the words of the table.
func (r Role) Who() Who {
	switch r {
	case Owner:
		return WhoOwner
	case Admin:
		return WhoAdmin
	case Ordinary:
		return WhoMember
	case NotMember:
	}
	return WhoAnyone
}

// Allows reports whether one of those is in the list of a rule such as "owner+admin+appadmin". A list that names anyone
// allows everybody.
func (t Type) Allows(name string, who ...Who) bool {
	for _, listed := range strings.Split(t.Rule(name), "+") {
		if listed == string(WhoAnyone) || slices.Contains(who, Who(listed)) {
			return true
		}
	}
	return false
}

// AllowsOver reports whether the rule, such as "owner>admin+member;admin>member", lets one of those act upon the target.
func (t Type) AllowsOver(name string, target Who, who ...Who) bool {
	for _, pair := range strings.Split(t.Rule(name), ";") {
		actor, targets, found := strings.Cut(pair, ">")
		if found && slices.Contains(who, Who(actor)) && slices.Contains(strings.Split(targets, "+"), string(target)) {
			return true
		}
	}
	return false
}
