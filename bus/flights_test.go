package bus

import "testing"

func TestWhoComesAfterADropJoinsNoLookThatBeganBefore(t *testing.T) {
	var f flights
	old, leader := f.join("token")
	if !leader {
		t.Fatal("nobody else is looking")
	}
	if again, leader := f.join("token"); leader || again != old {
		t.Fatal("a second caller looks for himself")
	}
	f.part("token")
	fresh, leader := f.join("token")
	if !leader || fresh == old {
		t.Fatal("the dropped value comes back from a look that began before the drop")
	}
	f.land("token", old) // late, and nobody's business
	if again, leader := f.join("token"); leader || again != fresh {
		t.Fatal("the end of the old look ended the new one too")
	}
	f.land("token", fresh)
}
