// How long blobs of Upkeep's account stay, and how cheaply. What a decision or a model can be explained by is never deleted:
// accepted, runs and upkeep only cool down. Nor is an upload that nobody has looked at. Nothing is archived: reading it would take hours.

param accountName string
param deadLetterContainer string

@description('Days for which former versions of blobs are kept.')
param versionDays int

@description('Days after which accepted data cools down. A training that still reads it pays for the reading, about a cent a GB.')
param acceptedDays int = 180

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: accountName
}

resource policy 'Microsoft.Storage/storageAccounts/managementPolicies@2025-01-01' = {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          // What lies here for long was not taken in: files of no published model, and files given up. Publishing the model, or a
          // person, may still make data of them, and this may be the only copy: no delete. A cooled blob keeps its ETag, by which the
          // ledger of uploads knows it.
          name: 'landing'
          type: 'Lifecycle'
          definition: {
            filters: {
              blobTypes: [
                'blockBlob'
              ]
              prefixMatch: [
                'landing/'
              ]
            }
            actions: {
              baseBlob: {
                tierToCool: {
                  daysAfterModificationGreaterThan: 30
                }
              }
            }
          }
        }
        {
          // Cool and no colder, because trainings read the parts, and a held-out set may be read for years.
          name: 'accepted'
          type: 'Lifecycle'
          definition: {
            filters: {
              blobTypes: [
                'blockBlob'
              ]
              prefixMatch: [
                'accepted/'
              ]
            }
            actions: {
              baseBlob: {
                tierToCool: {
                  daysAfterModificationGreaterThan: acceptedDays
                }
              }
            }
          }
        }
        {
          // A refused upload and its report wait half a year for somebody to look.
          name: 'quarantine'
          type: 'Lifecycle'
          definition: {
            filters: {
              blobTypes: [
                'blockBlob'
              ]
              prefixMatch: [
                'quarantine/'
              ]
            }
            actions: {
              baseBlob: {
                tierToCool: {
                  daysAfterModificationGreaterThan: 30
                }
                delete: {
                  daysAfterModificationGreaterThan: 180
                }
              }
            }
          }
        }
        {
          name: 'dead-letters'
          type: 'Lifecycle'
          definition: {
            filters: {
              blobTypes: [
                'blockBlob'
              ]
              prefixMatch: [
                '${deadLetterContainer}/'
              ]
            }
            actions: {
              baseBlob: {
                delete: {
                  daysAfterModificationGreaterThan: 90
                }
              }
            }
          }
        }
        {
          // Replay and audit read these, rarely; a deployment reads its model once. Publications, which every pass reads, stay hot.
          name: 'history'
          type: 'Lifecycle'
          definition: {
            filters: {
              blobTypes: [
                'blockBlob'
              ]
              prefixMatch: [
                'upkeep/decisions/'
                'runs/'
              ]
            }
            actions: {
              baseBlob: {
                tierToCool: {
                  daysAfterModificationGreaterThan: 90
                }
                tierToCold: {
                  daysAfterModificationGreaterThan: 365
                }
              }
            }
          }
        }
        {
          name: 'versions'
          type: 'Lifecycle'
          definition: {
            filters: {
              blobTypes: [
                'blockBlob'
              ]
            }
            actions: {
              version: {
                delete: {
                  daysAfterCreationGreaterThan: versionDays
                }
              }
            }
          }
        }
      ]
    }
  }
}
