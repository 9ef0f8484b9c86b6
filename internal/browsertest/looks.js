// Returns, for each element of the page that directly contains a visible text, how
// the text looks: its font, its colours, and those of everything that contains it.
// Two texts of the same look have the same contrast. The look is "" if the text may
// cover something that does not contain it, which nothing is known about. The
// elements are left in window.looked.
() => {
	const known = new Map()
	// behind describes the background of an element's children.
	const behind = e => {
		if (!e) return {look: "", placed: false}
		if (known.has(e)) return known.get(e)
		const under = behind(e.parentElement), s = getComputedStyle(e)
		const own = [s.color, s.backgroundColor, s.backgroundImage, s.opacity, s.mixBlendMode, s.filter].join(" ")
		const it = {
			look: under.look.endsWith(own) ? under.look : under.look + "\n" + own,
			placed: under.placed || !["static", "relative"].includes(s.position) || s.transform !== "none"
				|| e instanceof SVGElement,
		}
		known.set(e, it)
		return it
	}
	window.looked = []
	const looks = []
	for (const e of document.body.querySelectorAll("*")) {
		const text = [...e.childNodes].some(n => n.nodeType === Node.TEXT_NODE && n.data.trim())
		if (!text && !e.matches("input, select, textarea") || !e.checkVisibility()) continue
		const s = getComputedStyle(e), it = behind(e)
		window.looked.push(e)
		looks.push(it.placed ? "" : [e.localName, e.disabled, s.fontSize, s.fontWeight, s.textDecorationLine,
			s.borderBottomStyle, s.textShadow, s.visibility].join(" ") + it.look)
	}
	return looks
}
