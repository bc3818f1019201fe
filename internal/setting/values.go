package setting

import "fmt"

// Values is what an operator chose for one application, ready to be read. It never changes; the nil Values chose
// nothing.
type Values struct {
	byKey map[any]any       // by *Setting and *Group; only what differs from its default
	texts map[string]string // the same by name, as it is stored
}

func newValues() *Values { return &Values{byKey: map[any]any{}, texts: map[string]string{}} }

// Choice returns the value that was chosen for a declared setting.
func (v *Values) Choice(declaration any) (value any, chosen bool) {
	if v == nil || len(v.byKey) == 0 {
		return nil, false
	}
	value, chosen = v.byKey[declaration]
	return value, chosen
}

// String tells how many settings differ from their defaults, and no value, so that a secret is not printed by chance.
func (v *Values) String() string {
	if v == nil {
		return "0 chosen settings"
	}
	return fmt.Sprintf("%d chosen settings", len(v.texts))
}
