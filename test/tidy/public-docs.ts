/** Which exports of a public entry say nothing about themselves, read by the compiler through every re-export. */
import ts from 'typescript';

/** Names of the exports of `entry`, and of the public members of exported classes, without a TSDoc comment. */
export function undocumented(entry: string, options: ts.CompilerOptions): string[] {
  const program = ts.createProgram([entry], options);
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(entry);
  const module = source && checker.getSymbolAtLocation(source);
  if (!module) throw new Error(`${entry} exports nothing the compiler can see.`);
  return checker.getExportsOfModule(module).flatMap((symbol) => {
    const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    const own = isDocumented(target, checker) ? [] : [symbol.name];
    return [
      ...own,
      ...membersOf(target)
        .filter((member) => !isDocumented(member, checker))
        .map((member) => `${symbol.name}.${member.name}`),
    ];
  });
}

function isDocumented(symbol: ts.Symbol, checker: ts.TypeChecker): boolean {
  return ts.displayPartsToString(symbol.getDocumentationComment(checker)).trim() !== '';
}

/** Public methods of a class; fields and getters may be plain from their name and unit. */
function membersOf(symbol: ts.Symbol): ts.Symbol[] {
  if (!(symbol.flags & ts.SymbolFlags.Class)) return [];
  return [...(symbol.members?.values() ?? [])].filter(
    (member) =>
      member.flags & ts.SymbolFlags.Method &&
      !member.name.startsWith('__@') &&
      !/^(__)?#/.test(member.name) &&
      member.declarations?.every(
        (declaration) =>
          !(ts.getCombinedModifierFlags(declaration) & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)),
      ),
  );
}
