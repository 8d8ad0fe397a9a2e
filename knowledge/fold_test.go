package knowledge_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/dragoman-hub/dragoman/knowledge"
)

func TestFold(t *testing.T) {
	for text, want := range map[string]string{
		"":                                "",
		"Reset your Password!":            "reset your password",
		"Crème brûlée, São Paulo":         "creme brulee sao paulo",
		"Straße ŁÓDŹ Ærø Œuvre":           "strasse lodz aero oeuvre",
		"İstanbul ISPARTA ılık":           "istanbul isparta ilik",
		"l'hôtel don’t":                   "l hotel don t",
		"e-mail snake_case a.b@c.de":      "e mail snake case a b c de",
		"co\u00adoperate zero\u200bwidth": "cooperate zerowidth",
		"ﬁne ½ №5 ²":                      "fine 1 2 no5 2",
		"Ёлка йод":                        "елка йод",
		"ΟΔΥΣΣΕΎΣ ὀδυσσεύς":               "οδυσσευσ οδυσσευσ",
		"日本語 がぎ abc漢字x":                   "日 本 語 が ぎ abc 漢 字 x",
		"한국어 문서":                          "한국어 문서",
		"हिन्दी":                          "हिन्दी",
		"مُحَمَّد أحمد":                   "محمد احمد",
		"שָׁלוֹם":                         "שלום",
		"😀 !? \x00 \xff":                  "",
		strings.Repeat("x", 200):          strings.Repeat("x", 64),
	} {
		if got := strings.Join(knowledge.Fold(text), " "); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// TestFoldTwice: words are their own folded form, or nothing would be found again.
func TestFoldTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		once := knowledge.Fold(text)
		if again := knowledge.Fold(strings.Join(once, " ")); !slices.Equal(once, again) {
			t.Fatalf("%q, then %q", once, again)
		}
		for _, w := range once {
			if w == "" || len(w) > 64 || strings.ContainsAny(w, " '\"\\*:&|()!<>-^{}") {
				t.Fatalf("word %q", w)
			}
		}
	})
}
