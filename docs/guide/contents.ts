/** The pages of the guide, in the order in which they are read. A page's file has its name; the site and its check use this. */
export interface GuideChapter {
  readonly title: string;
  readonly pages: readonly { readonly name: string; readonly text: string }[];
}

export const guide: readonly GuideChapter[] = [
  {
    title: 'Start',
    pages: [{ name: 'index', text: 'What it is for' }],
  },
];
