package robot

import (
	"fmt"
	"unicode/utf8"

	"github.com/magpie-im/magpie/internal/im"
	"github.com/magpie-im/magpie/internal/wire"
)

// answer is what a streamed message says: the Data of its one custom element, as the chatbot plug-ins of client kits read
// it (docs/protocol/rest.md#send_stream_msg). They show the chunks one after the other with nothing between.
type answer struct {
	Plugin   int       `json:"chatbotPlugin"`
	Source   int       `json:"src"`
	Finished wire.Bool `json:"isFinished"`
	Chunks   []string  `json:"chunks"`
	// Half is the first half of a character whose second half the next piece may bring; 0 is none. Kits pass it over.
	Half rune `json:"half,omitzero"`
}

const (
	kindCustom   = "TIMCustomElem"
	chatbot      = 1 // the value of chatbotPlugin for answers of the application's back end
	sourceStream = 2 // the value of src for a text that grows
)

type customElement struct {
	Type    string `json:"MsgType"`
	Content struct {
		Data string `json:"Data"`
		Desc string `json:"Desc"`
		Ext  string `json:"Ext"`
	} `json:"MsgContent"`
}

func newAnswer(piece *chunk, finished wire.Bool) *answer {
	a := &answer{Plugin: chatbot, Source: sourceStream}
	a.add(piece, finished, false)
	return a
}

// body is the message's MsgBody.
func (a *answer) body() (wire.Raw, error) {
	data, err := wire.Marshal(a)
	if err != nil {
		return nil, fmt.Errorf("encode answer: %w", err)
	}
	element := customElement{Type: kindCustom}
	element.Content.Data = string(data)
	body, err := wire.Marshal([]customElement{element})
	if err != nil {
		return nil, fmt.Errorf("encode answer: %w", err)
	}
	return body, nil
}

// readAnswer reads a stored message, and refuses one that is not an answer or is at its end.
func readAnswer(body wire.Raw) (*answer, error) {
	var elements []customElement
	if err := wire.Unmarshal(body, &elements); err != nil || len(elements) != 1 || elements[0].Type != kindCustom {
		return nil, im.Errorf(im.CodeGroupParameter, "MsgKey names a message that is not streamed")
	}
	a := &answer{}
	if err := wire.Unmarshal([]byte(elements[0].Content.Data), a); err != nil || a.Plugin == 0 || a.Chunks == nil {
		return nil, im.Errorf(im.CodeGroupParameter, "MsgKey names a message that is not streamed")
	}
	if a.Finished {
		return nil, im.Errorf(im.CodeGroupParameter, "MsgKey names a message that is finished")
	}
	return a, nil
}

// add puts a piece at the end. One that joins a chunk which no reader has been shown yet becomes part of it, so that an
// answer of single words does not spend its bytes on commas; chunks that were shown stay as they are.
func (a *answer) add(piece *chunk, finished wire.Bool, join bool) {
	text := ""
	if *piece != (chunk{}) {
		text, a.Half = piece.behind(a.Half), piece.high
	}
	a.Finished = finished
	if finished && a.Half != 0 {
		text, a.Half = text+string(utf8.RuneError), 0
	}
	if last := len(a.Chunks) - 1; join && last >= 0 {
		a.Chunks[last] += text
		return
	}
	a.Chunks = append(a.Chunks, text)
}
