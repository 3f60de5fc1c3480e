// The tables of options and errors in the packages' READMEs and in the guide, made from the docstrings so that they say
// what the code says. `npm run check:docs` compares them, `npm run check:docs -- --fix` writes them.
//
// A page has a line `<!-- options of @threadbus/core -->`, or `errors of`; up to `<!-- end -->` all is written from here.

const errorKind = 128;
const optionsKind = 256;
/** Abstract, or the base of others only. */
const noErrors = new Set(['BusError']);
const block = /(<!-- (options|errors) of (\S+) -->\n)(.*?)(<!-- end -->)/gs;

/** The page with its blocks as they should be. */
export function withTables(page, modules) {
  return page.replaceAll(block, (_all, begin, what, name, _old, end) => {
    const module = modules.find((each) => each.name === name);
    const tables = module === undefined ? '' : tablesOf(what, module);
    return `${begin}\n${tables}${end}`;
  });
}

/** What is wrong with the pages: a block that is missing, of a package that there is none of, or not what the code says. */
export function tableProblems(pages, modules) {
  const found = [];
  for (const { path, text, needs } of pages) {
    const has = new Set([...text.matchAll(block)].map(([, , what, name]) => `${what} of ${name}`));
    for (const module of modules.filter(({ name }) => needs.includes(name))) {
      for (const what of ['options', 'errors']) {
        const marker = `${what} of ${module.name}`;
        if (!has.has(marker) && tablesOf(what, module) !== '')
          found.push(`${path}: expected <!-- ${marker} --> <!-- end -->`);
      }
    }
    if (plain(withTables(text, modules)) !== plain(text)) {
      const where = firstDifference(plain(text), plain(withTables(text, modules)));
      found.push(`${path}: its tables don't say what the code says (${where}): npm run check:docs -- --fix`);
    }
  }
  return found;
}

function tablesOf(what, module) {
  return what === 'options' ? optionTables(module) : errorTable(module);
}

function optionTables({ children }) {
  const interfaces = children.filter(({ kind, name }) => kind === optionsKind && /(?:Options|EventFields)$/.test(name));
  const names = new Set(interfaces.map(({ name }) => name));
  return interfaces
    .map(({ name, comment, children: members = [], extendedTypes = [] }) => {
      const bases = extendedTypes.map((type) => type.name).filter((base) => names.has(base));
      const own = members.filter(({ inheritedFrom }) => inheritedFrom === undefined || bases.length === 0);
      const rows = own.map((member) => {
        const fallback = member.flags.isOptional === true ? sayIn(tag(member, '@default')) : 'required';
        return `| \`${member.name}\` | ${cell(fallback)} | ${cell(firstSentence(sayIn(member.comment?.summary)))} |`;
      });
      const besides = bases.length === 0 ? '' : ` Besides: those of ${bases.map((base) => `\`${base}\``).join(', ')}.`;
      const head = `### \`${name}\`\n\n${firstSentence(sayIn(comment?.summary))}${besides}\n\n`;
      if (rows.length === 0) return head;
      return `${head}| option | default | |\n| --- | --- | --- |\n${rows.join('\n')}\n\n`;
    })
    .join('');
}

function errorTable({ children }) {
  const errors = children.filter(
    ({ kind, name }) => kind === errorKind && name.endsWith('Error') && !noErrors.has(name),
  );
  if (errors.length === 0) return '';
  const rows = errors.map(({ name, comment, children: members }) => {
    const code = members.find((member) => member.name === 'code');
    const value = code?.type?.value ?? code?.defaultValue?.replaceAll("'", '');
    return `| \`${name}\` | \`${value}\` | ${cell(firstSentence(sayIn(comment?.summary)))} |`;
  });
  return `| error | code | when |\n| --- | --- | --- |\n${rows.join('\n')}\n\n`;
}

function tag({ comment }, name) {
  return comment?.blockTags?.find((each) => each.tag === name)?.content;
}

function sayIn(parts = []) {
  return parts
    .map(({ text }) => text)
    .join('')
    .replaceAll(/```\w*\n?/g, '')
    .trim();
}

/** Up to its full stop; a paragraph without one, whole. */
function firstSentence(text) {
  const [paragraph = ''] = text.split('\n\n');
  const line = paragraph.replaceAll(/\s+/g, ' ');
  return /^.*?[^.][.?!](?= [A-Z`(]|$)/.exec(line)?.[0] ?? line;
}

function cell(text) {
  return text.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|');
}

/** Without what the formatter does to tables. */
function plain(text) {
  return text.replaceAll(/ +/g, ' ').replaceAll(/-{3,}/g, '---');
}

function firstDifference(has, wants) {
  const [hasLines, wantsLines] = [has.split('\n'), wants.split('\n')];
  const at = wantsLines.findIndex((line, i) => line !== hasLines[i]);
  return at < 0 ? `left over: ${hasLines[wantsLines.length]}` : wantsLines[at];
}
