/** As much of TypeDoc's model as the tables need. */
export interface DocModule {
  readonly name: string;
  readonly children: readonly DocDeclaration[];
}

export interface DocDeclaration {
  readonly name: string;
  readonly kind: number;
  readonly flags?: { readonly isOptional?: boolean };
  readonly comment?: {
    readonly summary: readonly { readonly text: string }[];
    readonly blockTags?: readonly { readonly tag: string; readonly content: readonly { readonly text: string }[] }[];
  };
  readonly type?: { readonly value?: string };
  readonly defaultValue?: string;
  readonly children?: readonly DocDeclaration[];
}

export declare function withTables(page: string, modules: readonly DocModule[]): string;
export declare function tableProblems(
  pages: readonly { readonly path: string; readonly text: string; readonly needs: readonly string[] }[],
  modules: readonly DocModule[],
): string[];
