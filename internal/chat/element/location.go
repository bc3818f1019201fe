package element

const kindLocation = "TIMLocationElem"

// location is a place on the map.
type location struct {
	Desc                str
	Latitude, Longitude num
}

func (*location) kind() string { return kindLocation }

func (o *location) field(name []byte) field {
	switch string(name) {
	case "Desc":
		return &o.Desc
	case "Latitude":
		return &o.Latitude
	case "Longitude":
		return &o.Longitude
	}
	return nil
}

// validate requires no field: the documentation names no required field here, unlike for the media.
func (*location) validate() error { return nil }

func (*location) digest(l Language) string { return l.say("[Location]", "[位置]") }
