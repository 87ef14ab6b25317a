//! A `CronJob` of Kubernetes, and the volume that it keeps things on.

use super::quote::{kubernetes_argument, yaml};
use super::{CACHE, KEPT, Plan, Repository, SIGNING_KEY, add};
use crate::base::text::shell_word;

const FOLDER: &str = "/var/lib/tfstate";

/// Returns the documents for `kubectl apply -f -`.
pub(super) fn render(plan: &Plan) -> String {
    let Plan { name, .. } = plan;
    let mut out = format!("# Apply it with: kubectl apply -f FILE\n{}", hints(plan));
    let mut add = |text: &str| out.push_str(text);
    add(&format!(
        "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata:\n  name: {name}\nspec:\n  \
         accessModes: [ReadWriteOnce]\n  resources:\n    requests:\n      storage: 1Gi\n---\n"
    ));
    let (when, timeout) = (plan.when.cron(plan.moment()), plan.when.timeout());
    add(&format!(
        "apiVersion: batch/v1\nkind: CronJob\nmetadata:\n  name: {name}\nspec:\n  \
         schedule: {}\n  timeZone: Etc/UTC\n  concurrencyPolicy: Forbid\n  \
         startingDeadlineSeconds: {timeout}\n  successfulJobsHistoryLimit: 1\n  \
         failedJobsHistoryLimit: 3\n  jobTemplate:\n    spec:\n      backoffLimit: 2\n      \
         activeDeadlineSeconds: {timeout}\n      template:\n        spec:\n",
        yaml(&when)
    ));
    add(&indented(10, POD));
    add(&indented(10, &volumes(plan)));
    add("          containers:\n            - name: backup\n");
    add(&indented(14, &container(plan)));
    out
}

fn hints(plan: &Plan) -> String {
    let Plan { name, .. } = plan;
    let mut out = format!(
        "# The image is one of yours that has tfstate on its PATH. Credentials of the stores are\n\
         # variables of the secret `{name}-env`, or come with the service account of the pod.\n"
    );
    if let Some(key) = &plan.signing_key {
        let line = format_args!(
            "# The key that signs is a secret:\n#   kubectl create secret generic \
             {name}-signing-key --from-file=signing-key={}\n",
            shell_word(key)
        );
        add(&mut out, line);
    }
    out + &plan.before_the_first_run()
}

const POD: &str = "\
restartPolicy: Never
automountServiceAccountToken: false
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile:
    type: RuntimeDefault
";

fn volumes(plan: &Plan) -> String {
    let Plan { name, .. } = plan;
    let mut out = format!(
        "volumes:\n  - name: kept\n    persistentVolumeClaim:\n      claimName: {name}\n  \
         - name: tmp\n    emptyDir: {{}}\n"
    );
    if plan.signing_key.is_some() {
        let volume = format_args!(
            "  - name: signing-key\n    secret:\n      secretName: {name}-signing-key\n      \
             defaultMode: 0400\n"
        );
        add(&mut out, volume);
    }
    out
}

fn container(plan: &Plan) -> String {
    let (folder, memory) = (repository(plan), plan.memory());
    let mut command = String::new();
    for argument in plan.arguments(Some(folder)) {
        add(&mut command, format_args!("  - {}\n", kubernetes_argument(&argument)));
    }
    let mut variables = String::new();
    let (cache, kept) = (format!("{FOLDER}/cache"), format!("{FOLDER}/kept"));
    let key = plan.signing_key.as_ref().map(|_| (SIGNING_KEY, "/etc/tfstate/signing-key"));
    let own = [("HOME", "/tmp"), (CACHE, &cache), (KEPT, &kept)].into_iter().chain(key);
    for (name, value) in
        own.chain(plan.variables.iter().map(|(name, value)| (*name, value.as_str())))
    {
        add(
            &mut variables,
            format_args!("  - name: {name}\n    value: {}\n", kubernetes_argument(value)),
        );
    }
    format!(
        "image: {}\ncommand:\n  - tfstate\n{command}env:\n{variables}\
         envFrom:\n  - secretRef:\n      name: {}-env\n      optional: true\n\
         securityContext:\n  allowPrivilegeEscalation: false\n  readOnlyRootFilesystem: true\n  \
         capabilities:\n    drop: [ALL]\n\
         resources:\n  requests:\n    cpu: 100m\n    memory: 128Mi\n  limits:\n    \
         memory: {memory}Mi\n\
         volumeMounts:\n{}",
        yaml(&plan.image),
        plan.name,
        mounts(plan)
    )
}

/// Returns the folder of snapshots in the pod, if they are in one.
fn repository(plan: &Plan) -> &str {
    match &plan.repository {
        Repository::Folder(folder) => folder,
        Repository::OfRunner | Repository::Url(_) => "/var/lib/tfstate/backups",
    }
}

fn mounts(plan: &Plan) -> String {
    let mount = |name: &str, path: &str, rest: &str| {
        format!("  - name: {name}\n    mountPath: {}\n{rest}", yaml(path))
    };
    let mut out = mount("kept", FOLDER, "") + &mount("tmp", "/tmp", "");
    if let Repository::Folder(folder) = &plan.repository
        && !std::path::Path::new(folder).starts_with(FOLDER)
    {
        out += &mount("kept", folder, "    subPath: backups\n");
    }
    if plan.signing_key.is_some() {
        out += &mount("signing-key", "/etc/tfstate", "    readOnly: true\n");
    }
    out
}

fn indented(columns: usize, text: &str) -> String {
    let (space, mut out) = (" ".repeat(columns), String::new());
    for line in text.lines() {
        add(&mut out, format_args!("{space}{line}\n"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::Runner;
    use super::super::samples::{HOSTILE, hostile, plan, scalars};
    use super::*;

    #[test]
    fn a_job_of_kubernetes() {
        insta::assert_snapshot!(plan().render(Runner::Kubernetes).unwrap(), @r#"
        # Apply it with: kubectl apply -f FILE
        # The image is one of yours that has tfstate on its PATH. Credentials of the stores are
        # variables of the secret `tfstate-backup-env`, or come with the service account of the pod.
        # The key that signs is a secret:
        #   kubectl create secret generic tfstate-backup-signing-key --from-file=signing-key=/etc/tfstate/signing.key
        # The key that signs makes it, or is let in: `tfstate repo authorize`, with what
        # `tfstate repo info --signing-key FILE` calls this key.
        apiVersion: v1
        kind: PersistentVolumeClaim
        metadata:
          name: tfstate-backup
        spec:
          accessModes: [ReadWriteOnce]
          resources:
            requests:
              storage: 1Gi
        ---
        apiVersion: batch/v1
        kind: CronJob
        metadata:
          name: tfstate-backup
        spec:
          schedule: "54 * * * *"
          timeZone: Etc/UTC
          concurrencyPolicy: Forbid
          startingDeadlineSeconds: 3600
          successfulJobsHistoryLimit: 1
          failedJobsHistoryLimit: 3
          jobTemplate:
            spec:
              backoffLimit: 2
              activeDeadlineSeconds: 3600
              template:
                spec:
                  restartPolicy: Never
                  automountServiceAccountToken: false
                  securityContext:
                    runAsNonRoot: true
                    runAsUser: 65532
                    runAsGroup: 65532
                    fsGroup: 65532
                    seccompProfile:
                      type: RuntimeDefault
                  volumes:
                    - name: kept
                      persistentVolumeClaim:
                        claimName: tfstate-backup
                    - name: tmp
                      emptyDir: {}
                    - name: signing-key
                      secret:
                        secretName: tfstate-backup-signing-key
                        defaultMode: 0400
                  containers:
                    - name: backup
                      image: "tfstate:0.1.0"
                      command:
                        - tfstate
                        - "backup"
                        - "--repo"
                        - "s3://acme-backup/tfstate"
                        - "--strategy"
                        - "auto"
                        - "--recipient"
                        - "age1abc"
                        - "s3://acme-tf/prod/**/*.tfstate"
                      env:
                        - name: HOME
                          value: "/tmp"
                        - name: TFSTATE_CACHE_DIR
                          value: "/var/lib/tfstate/cache"
                        - name: STATE_DIR
                          value: "/var/lib/tfstate/kept"
                        - name: TFSTATE_SIGNING_KEY_FILE
                          value: "/etc/tfstate/signing-key"
                      envFrom:
                        - secretRef:
                            name: tfstate-backup-env
                            optional: true
                      securityContext:
                        allowPrivilegeEscalation: false
                        readOnlyRootFilesystem: true
                        capabilities:
                          drop: [ALL]
                      resources:
                        requests:
                          cpu: 100m
                          memory: 128Mi
                        limits:
                          memory: 1024Mi
                      volumeMounts:
                        - name: kept
                          mountPath: "/var/lib/tfstate"
                        - name: tmp
                          mountPath: "/tmp"
                        - name: signing-key
                          mountPath: "/etc/tfstate"
                          readOnly: true
        "#);
    }

    #[test]
    fn a_hostile_word_is_one_scalar_that_kubernetes_does_not_expand() {
        let unit = hostile().render(Runner::Kubernetes).unwrap();
        let found = scalars(&unit);
        let doubled = HOSTILE.replace('$', "$$");
        assert_eq!(found.iter().filter(|text| **text == doubled).count(), 1, "{found:?}");
    }

    #[test]
    fn a_folder_of_snapshots_is_on_the_volume() {
        let folder = "/data/back: up";
        let plan = Plan { repository: Repository::Folder(folder.to_owned()), ..plan() };
        let found = scalars(&render(&plan));
        // As an argument, and as the place where the volume is.
        assert_eq!(found.iter().filter(|text| *text == folder).count(), 2, "{found:?}");
    }
}
