package element

// element is the MsgContent of one element, by its kind.
type element interface {
	object
	// kind is the MsgType.
	kind() string
	// validate returns a fault for the first thing that is missing or not allowed.
	validate() error
	// digest is the text an offline push shows for the element; empty for none.
	digest(Language) string
}

// newElement makes room for one MsgContent. Nil means that the MsgType is not known.
func newElement(kind []byte) element {
	switch string(kind) {
	case kindText:
		return new(text)
	case kindCustom:
		return new(custom)
	case kindFace:
		return new(face)
	case kindLocation:
		return new(location)
	case kindImage:
		return new(image)
	case kindSound:
		return new(sound)
	case kindFile:
		return new(file)
	case kindVideo:
		return new(video)
	case kindRelay:
		return new(relay)
	}
	return nil
}

// opaque is an element that a stored body has and this version does not know.
type opaque struct{}

func (opaque) kind() string           { return "" }
func (opaque) field([]byte) field     { return nil }
func (opaque) validate() error        { return nil }
func (opaque) digest(Language) string { return "" }
