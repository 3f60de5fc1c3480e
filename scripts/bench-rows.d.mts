export declare function withBenchRows(readme: string, guide: string): string;
export declare function benchRowProblems(readme: string, guide: string): string[];
