package robot

import (
	"fmt"
	"time"
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
	// Index is the number of the latest piece, of an answer whose pieces have numbers, and At when it came, in unix milliseconds.
	Index int64 `json:"index,omitzero"`
	At    int64 `json:"at,omitzero"`
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

// body is the message's MsgBody. compatible is what is shown where the answer cannot be.
func (a *answer) body(compatible string) (wire.Raw, error) {
	data, err := wire.Marshal(a)
	if err != nil {
		return nil, fmt.Errorf("encode answer: %w", err)
	}
	element := customElement{Type: kindCustom}
	element.Content.Data, element.Content.Desc = string(data), compatible
	body, err := wire.Marshal([]customElement{element})
	if err != nil {
		return nil, fmt.Errorf("encode answer: %w", err)
	}
	return body, nil
}

// number notes which piece is the latest one, if they have numbers.
func (a *answer) number(index int64, now time.Time) {
	if index > 0 {
		a.Index, a.At = index, now.UnixMilli()
	}
}

// silence is after how long without a piece an answer is at its end whose pieces have numbers.
const silence = 15 * time.Second

// follows refuses a piece that does not come behind the latest one, or comes too late.
func (a *answer) follows(index int64, now time.Time) error {
	switch late := now.UnixMilli() - a.At; {
	case index == 0 && a.Index == 0:
		return nil
	case index == 0 || a.Index == 0:
		return im.Errorf(im.CodeGroupParameter, "the message was begun by the other command that streams")
	case index <= a.Index:
		return im.Errorf(im.CodeGroupParameter, "Index is %d: want one above %d", index, a.Index)
	case late > silence.Milliseconds():
		return im.Errorf(im.CodeGroupParameter, "the message ended by itself, as no piece came for %v: begin another", silence)
	}
	return nil
}

// readAnswer reads a stored message, and refuses one that is not an answer or is at its end. compatible is what is shown where the
// answer cannot be.
func readAnswer(body wire.Raw) (a *answer, compatible string, err error) {
	var elements []customElement
	if err := wire.Unmarshal(body, &elements); err != nil || len(elements) != 1 || elements[0].Type != kindCustom {
		return nil, "", im.Errorf(im.CodeGroupParameter, "the key names a message that is not streamed")
	}
	a = &answer{}
	if err := wire.Unmarshal([]byte(elements[0].Content.Data), a); err != nil || a.Plugin == 0 || a.Chunks == nil {
		return nil, "", im.Errorf(im.CodeGroupParameter, "the key names a message that is not streamed")
	}
	if a.Finished {
		return nil, "", im.Errorf(im.CodeGroupParameter, "the key names a message that is finished")
	}
	return a, elements[0].Content.Desc, nil
}

// end finishes the answer without a further piece.
func (a *answer) end() { a.add(&chunk{}, true, true) }

// add puts a piece at the end. One that joins a chunk which no reader has been shown yet becomes part of it, so that an
// answer of single words does not spend its bytes on commas; chunks that were shown stay as they are.
func (a *answer) add(piece *chunk, finished wire.Bool, join bool) {
	text := ""
	if *piece != (chunk{}) {
		text, a.Half = piece.behind(a.Half), piece.high
	}
	if a.Finished = finished; finished && a.Half != 0 {
		text, a.Half = text+string(utf8.RuneError), 0
	}
	if last := len(a.Chunks) - 1; join && last >= 0 {
		a.Chunks[last] += text
		return
	}
	a.Chunks = append(a.Chunks, text)
}
