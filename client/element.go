package client

import (
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// Element is one part of a message. The constructors make the kinds that are only text; for others fill it in.
type Element struct {
	// Type is the wire's name of the kind, such as TIMImageElem.
	Type string `json:"MsgType"`
	// Content is the kind's JSON object, as bytes that any JSON package decodes. Nil is sent as an empty object.
	Content jsontext.Value `json:"MsgContent"`
}

// Text is a text element.
func Text(text string) Element {
	content := appendString([]byte(`{"Text":`), text)
	return Element{Type: "TIMTextElem", Content: append(content, '}')}
}

// Custom is an app's own element: its data, what to show for it where it cannot be read, and an extension field.
func Custom(data, desc, ext string) Element {
	content := appendString([]byte(`{"Data":`), data)
	content = appendString(append(content, `,"Desc":`...), desc)
	content = appendString(append(content, `,"Ext":`...), ext)
	return Element{Type: "TIMCustomElem", Content: append(content, '}')}
}

// Face is a sticker: its number in the app's set and the app's own data.
func Face(index int, data string) Element {
	content := strconv.AppendInt([]byte(`{"Index":`), int64(index), 10)
	content = appendString(append(content, `,"Data":`...), data)
	return Element{Type: "TIMFaceElem", Content: append(content, '}')}
}

// Location is a place in degrees with its description.
func Location(desc string, latitude, longitude float64) Element {
	content := appendString([]byte(`{"Desc":`), desc)
	content = strconv.AppendFloat(append(content, `,"Latitude":`...), latitude, 'f', -1, 64)
	content = strconv.AppendFloat(append(content, `,"Longitude":`...), longitude, 'f', -1, 64)
	return Element{Type: "TIMLocationElem", Content: append(content, '}')}
}

// appendElements appends a MsgBody. Contents are checked, since one that is no JSON would spoil the whole frame.
func appendElements(dst []byte, elements []Element) ([]byte, error) {
	dst = append(dst, '[')
	for i, element := range elements {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(append(dst, `{"MsgType":`...), element.Type)
		dst = append(dst, `,"MsgContent":`...)
		if element.Content == nil {
			dst = append(dst, "{}"...)
		} else if !element.Content.IsValid() {
			return dst, errContent
		} else {
			dst = append(dst, element.Content...)
		}
		dst = append(dst, '}')
	}
	return append(dst, ']'), nil
}
