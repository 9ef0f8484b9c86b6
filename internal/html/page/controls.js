// controls.js: what was judged, by which rule and limit, what came of it, and
// what was excused.

function controlsScreen() {
  const statuses = [FAIL, NO_DATA, WARN, MANUAL, 5, 4];
  const table = h('table', {class: 'controls', 'aria-label': 'Controls'},
    h('thead', {}, h('tr', {}, h('th', {scope: 'col'}, 'Control'), h('th', {scope: 'col'}, 'Severity'),
      statuses.map((s) => h('th', {scope: 'col', class: 'n'}, statusName(s).replace('NOT APPLICABLE', 'N/A'))), h('th', {scope: 'col', class: 'n'}, 'excused'))),
    h('tbody', {}, page.controls.map((control) => h('tr', {},
      h('td', {}, h('details', {}, h('summary', {}, control.items.length ? [h('b', {class: 'item'},
        control.items.join(', ')), ' '] : null, h('b', {}, control.id), ' ', control.title), describeControl(control))),
      h('td', {}, control.severity),
      statuses.map((s) => {
        const td = h('td', {class: 'n'});
        const listed = s <= MANUAL;
        count(td, control.statuses[s], listed ? STATUS_CLASSES[s] : '', listed ? link('credentials', {control: control.id, status: page.statuses[s]}) : '');
        return td;
      }),
      excusedCell(control)))));

  return {
    name: 'controls', title: 'Controls', show() {},
    element: [
      h('p', {}, h('b', {}, page.benchmark.title, ' ', page.benchmark.version), page.benchmark.about ? ` – ${page.benchmark.about}` : ''),
      h('p', {class: 'outcomes'}, 'Controls: ', h('b', {}, page.outcomes), '.'),
      table,
      h('h3', {}, 'Exceptions'),
      page.exceptions.length ? exceptionsTable() : h('p', {class: 'muted'}, 'None were given.'),
      h('h3', {}, 'Limits'),
      h('dl', {class: 'facts'}, Object.entries(page.params).map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, String(value))))),
      h('p', {class: 'hint'}, 'A credential report tells of passwords, the first two access keys, MFA and signing certificates. It tells nothing of other credentials (SSH, CodeCommit, Bedrock), of permissions, groups, or the kind of an MFA device.'),
    ],
    print(on) { for (const details of table.querySelectorAll('details')) details.open = on; },
  };
}

function excusedCell(control) {
  const td = h('td', {class: 'n'});
  count(td, control.excused, '', link('credentials', {control: control.id, status: 'excused'}));
  return td;
}

function describeControl(control) {
  return [
    h('p', {}, control.description), h('p', {}, h('b', {}, 'Rule. '), control.rule), h('p', {}, h('b', {}, 'What to do. '), control.remediation),
    control.requirements.length ? h('p', {class: 'muted'}, control.requirements.join(' · ')) : null,
  ];
}

function exceptionsTable() {
  const states = {active: 'pass', expiring: 'warn', expired: 'fail', unmatched: 'warn'};
  return h('table', {class: 'exceptions', 'aria-label': 'Exceptions'},
    h('thead', {}, h('tr', {}, ['Exception', 'State', 'Matched', 'Control', 'Account', 'For', 'Reason', 'Owner', 'Ticket', 'Expires']
      .map((name) => h('th', {scope: 'col', class: name === 'Matched' ? 'n' : null}, name)))),
    h('tbody', {}, page.exceptions.map(({exception: e, state, matched}) => h('tr', {},
      h('td', {}, h('b', {}, e.id)), h('td', {class: states[state]}, state), h('td', {class: 'n'}, number(matched)),
      h('td', {}, e.control), h('td', {}, e.account),
      h('td', {}, [e.user || e.arn || e.path, e.credential].filter(Boolean).join(' ')),
      h('td', {}, e.reason), h('td', {}, e.owner), h('td', {}, e.ticket), h('td', {}, e.expires)))));
}
