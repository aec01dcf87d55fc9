package tencent

import "context"

// Subscribe follows the account; scene is the parameter of a QR code, "" for none.
func (c *Customer) Subscribe(ctx context.Context, scene string) error {
	fields := []field{text("Event", "subscribe")}
	if scene != "" {
		fields = append(fields, text("EventKey", "qrscene_"+scene), text("Ticket", "T"+sign(scene)))
	} else {
		fields = append(fields, text("EventKey", ""))
	}
	return c.event(ctx, true, func() { c.subscribed = true }, fields)
}

// Unsubscribe stops following: nothing reaches the customer any more.
func (c *Customer) Unsubscribe(ctx context.Context) error {
	return c.event(ctx, false, func() { c.subscribed, c.rights = false, rights{} }, []field{text("Event", "unsubscribe"), text("EventKey", "")})
}

// Scan scans a QR code of an account that is followed already.
func (c *Customer) Scan(ctx context.Context, scene string) error {
	return c.event(ctx, true, nil, []field{text("Event", "SCAN"), text("EventKey", scene), text("Ticket", "T"+sign(scene))})
}

// Click taps a menu item.
func (c *Customer) Click(ctx context.Context, key string) error {
	return c.event(ctx, true, nil, []field{text("Event", "CLICK"), text("EventKey", key)})
}

// View opens a page from the menu; it gives no right to write.
func (c *Customer) View(ctx context.Context, address string) error {
	return c.event(ctx, false, nil, []field{text("Event", "VIEW"), text("EventKey", address), text("MenuId", "1")})
}

// Report tells the place of a customer who allows it; it gives no right to write.
func (c *Customer) Report(ctx context.Context, latitude, longitude string) error {
	return c.event(ctx, false, nil, []field{text("Event", "LOCATION"), {name: "Latitude", text: latitude, number: true},
		{name: "Longitude", text: longitude, number: true}, {name: "Precision", text: "40.000000", number: true}})
}

// EnterChat opens the customer-service chat of a mini-program.
func (c *Customer) EnterChat(ctx context.Context, from string) error {
	return c.event(ctx, true, nil, []field{text("Event", "user_enter_tempsession"), text("SessionFrom", from)})
}

// Event sends any other event with its key.
func (c *Customer) Event(ctx context.Context, name, key string) error {
	return c.event(ctx, false, nil, []field{text("Event", name), text("EventKey", key)})
}

func (c *Customer) event(ctx context.Context, tapped bool, change func(), fields []field) error {
	c.t.mu.Lock()
	if change != nil {
		change()
	}
	if tapped {
		c.touch(true)
	}
	l := c.letter("", "event", fields)
	c.t.changed()
	c.t.mu.Unlock()
	return c.t.Deliver(ctx, l)
}

// Block refuses the account's messages without unsubscribing.
func (c *Customer) Block(on bool) {
	c.t.mu.Lock()
	defer c.t.mu.Unlock()
	c.blocked = on
}
