package element

const kindCustom = "TIMCustomElem"

// custom is an element that only the app understands. A message carries at most one.
type custom struct {
	Data, Desc, Ext str
	Sound           str // the sound of the offline push
}

func (*custom) kind() string { return kindCustom }

func (c *custom) field(name []byte) field {
	switch string(name) {
	case "Data":
		return &c.Data
	case "Desc":
		return &c.Desc
	case "Ext":
		return &c.Ext
	case "Sound":
		return &c.Sound
	}
	return nil
}

// validate requires no field: all four are optional.
func (*custom) validate() error { return nil }

// digest is Desc. Without one, the message makes no offline push unless it names the text in OfflinePushInfo.
func (c *custom) digest(Language) string { return c.Desc.text }
